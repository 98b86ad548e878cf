"""Filling the playbook again, from the entries in the database and the runs that taught it."""

import asyncio
from dataclasses import dataclass

from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import Entry
from orchestrator.playbook.learner import Learner
from orchestrator.playbook.topics import Topics
from orchestrator.storage.database import Database


@dataclass(frozen=True, slots=True)
class Rebuilt:
    entries: int
    runs: int


class Rebuild:
    """Everything of an owner's in Redis is forgotten first, so that it may be run at any time."""

    def __init__(self, entries: Entries, topics: Topics, learner: Learner, database: Database) -> None:
        self._entries = entries
        self._topics = topics
        self._learner = learner
        self._database = database

    async def everyone(self) -> dict[str, Rebuilt]:
        """By owner."""
        return {owner: await self.owner(owner) for owner in await self._database.playbook_owners()}

    async def owner(self, owner: str) -> Rebuilt:
        stored = [Entry.model_validate(values) for values in await self._database.stored_entries(owner)]
        await self._entries.clear(owner)
        for entry in stored:
            await self._topics.restore(entry)
            await self._entries.put(entry)
        runs = await self._database.taught_runs(owner)
        taught = 0
        for run in runs:
            told = await asyncio.to_thread(self._learner.told, run)
            if told is not None:
                await self._learner.learn(told, restored=True)
                taught += 1
        return Rebuilt(entries=len(stored), runs=taught)
