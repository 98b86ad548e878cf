"""The playbook as commands work on it, without a server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from orchestrator.playbook.archived import Archived, DatabaseArchive
from orchestrator.playbook.entry import Entry
from orchestrator.playbook.learner import Learner
from orchestrator.playbook.parts import build_parts, playbook_url
from orchestrator.playbook.rebuild import Rebuild
from orchestrator.playbook.topics import whole
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

    async def take_in(self, entries: Sequence[Entry], *, anew: bool = False) -> None:
        """Store entries from elsewhere, with the topics that they are recalled by. With ``anew`` they are tried with
        the models and prompts of here. Raises ``RedisError``."""
        topics = await self._own_topics(entries)
        for entry in entries:
            await self._take_in(entry.model_copy(update={"topic": topics.get(entry.topic, entry.topic)}), anew)

    async def _take_in(self, entry: Entry, anew: bool) -> None:
        topics = self._parts.topics
        if anew:
            entry = entry.model_copy(update={"pair": self._parts.pair, "version": self._parts.version})
        if await topics.get(entry.owner, entry.topic) is None:
            await topics.restore(entry)
        if entry.status == "candidate":
            rank = await topics.next_rank(entry.owner, entry.topic, entry.kind)
            entry = entry.model_copy(update={"rank": max(rank, entry.rank)})
        await topics.keep_rank(entry)
        await self.playbook.put(entry)

    async def _own_topics(self, entries: Sequence[Entry]) -> dict[str, str]:
        """Which of the owner's topics are about the same as those that the entries are from, by the ids of these."""
        owns: dict[str, str] = {}
        for entry in {entry.topic: entry for entry in reversed(entries)}.values():
            if await self._parts.topics.get(entry.owner, entry.topic) is None:
                own = await self._parts.topics.find(entry.owner, entry.problem, entry.form)
                # What is like no topic of the owner's has one of its own, and not that of everything else.
                if own is not None and own != whole(entry.form):
                    owns[entry.topic] = own
        return owns

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
