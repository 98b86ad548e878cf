"""Whether every part that a run needs answers."""

import asyncio
from collections.abc import Awaitable

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.model_park import ModelPark
from orchestrator.storage.database import Database
from tools.sandbox.remote import START_ONE as START_SANDBOX
from tools.sandbox.remote import CelerySandbox
from workers.collaboration.presence import served
from workers.collaboration.watch import START_ONE as START_COLLABORATE
from workers.engines.errors import EngineError

# SGLang takes one second or two to find out about itself.
_PATIENCE_SECONDS = 4.0


class Readiness:
    def __init__(self, redis: Redis, database: Database, park: ModelPark, sandbox: CelerySandbox) -> None:
        self._redis = redis
        self._database = database
        self._park = park
        self._sandbox = sandbox

    async def check(self) -> dict[str, str]:
        """Each part's name and "ok" or what is wrong with it, asked all at once, each within four seconds."""
        asked = {
            "redis": self._ask_redis(),
            "database": self._ask_database(),
            "worker collaborate": self._ask_collaborate(),
            "worker sandbox": self._ask_sandbox(),
            **{f"engine {name}": self._ask_engine(name) for name in self._park.engines},
        }
        states = await asyncio.gather(*(_within_patience(question) for question in asked.values()))
        return dict(zip(asked, states, strict=True))

    async def _ask_redis(self) -> str:
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            return f"Redis does not answer: {error}"
        return "ok"

    async def _ask_database(self) -> str:
        try:
            await self._database.ping()
        except SQLAlchemyError as error:
            return f"the database does not answer: {error}"
        return "ok"

    async def _ask_collaborate(self) -> str:
        try:
            there = await served(self._redis)
        except (RedisError, OSError) as error:
            return f"Redis, through which workers are found, does not answer: {error}"
        return "ok" if there else f"no worker writes collaborative answers; {START_COLLABORATE}"

    async def _ask_sandbox(self) -> str:
        return "ok" if await self._sandbox.served() else f"no worker runs programs; {START_SANDBOX}"

    async def _ask_engine(self, name: str) -> str:
        engine = self._park.engines[name]
        try:
            await engine.alive()
            await engine.describe()
        except EngineError as error:
            return str(error)
        return "ok"


async def _within_patience(question: Awaitable[str]) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await question
    except TimeoutError:
        return f"does not answer within {_PATIENCE_SECONDS:.0f} seconds"
