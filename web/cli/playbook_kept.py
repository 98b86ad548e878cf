"""The playbook as commands work on it, without a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from orchestrator.playbook.archived import Archived, DatabaseArchive
from orchestrator.playbook.entry import Entry
from orchestrator.playbook.learner import Learner
from orchestrator.playbook.parts import build_parts, playbook_url
from orchestrator.playbook.rebuild import Rebuild
from orchestrator.settings import Settings
from orchestrator.storage.database import Database
from orchestrator.storage.urls import database_url
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder


class Kept:
    """The playbook where it lives: what is found in Redis, and the database from which that can be filled again."""

    def __init__(self, settings: Settings, redis: Redis, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._parts = build_parts(settings, redis, WordEmbedder(), build_strategies(settings))
        self.playbook = Archived(self._parts.entries, database)

    async def take_in(self, entry: Entry) -> None:
        """Store an entry from elsewhere, with the topic that it is recalled by. Raises ``RedisError``."""
        if await self._parts.topics.get(entry.owner, entry.topic) is None:
            await self._parts.topics.restore(entry)
        await self.playbook.put(entry)

    def rebuild(self) -> Rebuild:
        options, models = self._settings.playbook, self._settings.models
        parameters = {name: model.parameters for name, model in models.items()}
        learner = Learner(self._parts, DatabaseArchive(self._database), options.guard, parameters)
        return Rebuild(self._parts, learner, self._database)


@asynccontextmanager
async def kept_open(settings: Settings) -> AsyncIterator[Kept]:
    """Nothing is connected before it is used."""
    redis = Redis.from_url(playbook_url(settings), socket_timeout=None)
    try:
        async with Database.open(database_url(settings.storage)) as database:
            yield Kept(settings, redis, database)
    finally:
        await redis.aclose()
