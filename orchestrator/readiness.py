"""Whether every part that a run needs answers."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.model_park import ModelPark
from orchestrator.storage.database import Database
from workers.engines.errors import EngineError

_PATIENCE_SECONDS = 3.0


class Readiness:
    def __init__(self, redis: Redis, database: Database, park: ModelPark) -> None:
        self._redis = redis
        self._database = database
        self._park = park

    async def check(self) -> dict[str, str]:
        """Each part's name and "ok" or what is wrong with it, asked all at once, each within three seconds."""
        names = ["redis", "database", *(f"engine {name}" for name in self._park.engines)]
        asked = [self._ask_redis(), self._ask_database(), *(self._ask_engine(name) for name in self._park.engines)]
        return dict(zip(names, await asyncio.gather(*asked), strict=True))

    async def _ask_redis(self) -> str:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._redis.ping()
        except (RedisError, TimeoutError, OSError) as error:
            return f"Redis does not answer: {error}"
        return "ok"

    async def _ask_database(self) -> str:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._database.ping()
        except (SQLAlchemyError, TimeoutError) as error:
            return f"the database does not answer: {error}"
        return "ok"

    async def _ask_engine(self, name: str) -> str:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._park.engines[name].describe()
        except (EngineError, TimeoutError) as error:
            return str(error) or "does not answer in time"
        return "ok"
