"""Filling the playbook again, from the entries in the database and the runs that taught it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.playbook.entry import Entry
from orchestrator.playbook.learner import Learner, Told
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.shadow import trial_name
from orchestrator.playbook.topic_hash import counted
from orchestrator.storage.database import Database
from orchestrator.storage.records import TaughtRun


@dataclass(frozen=True, slots=True)
class Rebuilt:
    entries: int
    runs: int


class NotTheirs(Exception):
    """The database has an entry of another owner among somebody's; the message says which."""


class Rebuild:
    """Everything of an owner's in Redis is forgotten first, so that it may be run at any time. Outcomes that the stored
    entries have are not added again; those that were lost on the way to them are."""

    def __init__(self, parts: PlaybookParts, learner: Learner, database: Database) -> None:
        self._parts = parts
        self._learner = learner
        self._database = database

    async def everyone(self) -> dict[str, Rebuilt]:
        """By owner."""
        return {owner: await self.owner(owner) for owner in await self._database.playbook_owners()}

    async def owner(self, owner: str) -> Rebuilt:
        """Where the database has nothing of the owner's, Redis is left as it is. Raises ``NotTheirs``, with nothing
        changed."""
        stored = [Entry.model_validate(values) for values in await self._database.stored_entries(owner)]
        _check(owner, stored)
        runs = await self._database.taught_runs(owner)
        if not stored and not runs:
            return Rebuilt(entries=0, runs=0)
        known = await self._database.outcomes_of_entries(owner)
        await self._parts.entries.clear(owner)
        entries = await self._restore(owner, stored, runs, known)
        taught = [await self._learn(run, known) for run in runs]
        return Rebuilt(entries=len(entries), runs=sum(taught))

    async def _restore(
        self, owner: str, stored: Sequence[Entry], runs: Sequence[TaughtRun], known: Mapping[str, set[str]]
    ) -> list[Entry]:
        """Those that would still be there, and that their trials have been."""
        expired = self._expired(stored, runs)
        await self._database.remove_entries(owner, expired)
        entries = [entry for entry in stored if entry.id not in expired]
        there = {run.id for run in runs}
        for entry in entries:
            await self._parts.topics.restore(entry)
            await self._parts.topics.keep_rank(entry)
            await self._parts.entries.put(entry)
            await self._restore_writer(entry)
            for run in known.get(entry.id, set()) & there:
                await self._parts.records.seal(owner, trial_name(run, entry), entry.topic, entry.id, run)
        return entries

    async def _restore_writer(self, entry: Entry) -> None:
        """How a recipe's model did alone on its topic: trials that are not added again told of it."""
        route = self._parts.recall.route_of(entry)
        if route is None or not entry.alone_trials:
            return
        counts = counted("writer", route.models[0], entry.alone_wins, entry.alone_trials)
        await self._parts.records.add(entry.owner, f"alone:{entry.id}", entry.topic, counts, [])

    def _expired(self, stored: Sequence[Entry], runs: Sequence[TaughtRun]) -> set[str]:
        latest = {str(run.lesson["topic"]): run.created for run in runs if run.lesson.get("topic")}
        oldest = time.time() - self._parts.entries.lifetime
        return {
            entry.id for entry in stored if not entry.pinned and max(entry.used, latest.get(entry.topic, 0.0)) < oldest
        }

    async def _learn(self, run: TaughtRun, known: Mapping[str, set[str]]) -> bool:
        told = await asyncio.to_thread(self._learner.told, run)
        if told is not None:
            # An outcome reaches all its entries at once or none of them; where there is none, they know of the run.
            there = told.won is None or any(run.id in known.get(entry, ()) for entry in _touched(told))
            await self._learner.learn(told, restored=there)
        return told is not None


def _touched(told: Told) -> set[str]:
    on_trial = told.lesson.on_trial
    return {*told.lesson.used, *([on_trial.entry] if on_trial is not None else ())}


def _check(owner: str, stored: Sequence[Entry]) -> None:
    for entry in stored:
        if entry.owner != owner:
            raise NotTheirs(
                f"the database has entry {entry.id} of {entry.owner!r} among those of {owner!r}; nothing was rebuilt. "
                f"Delete that row of the table `playbook`, or restore the database from a copy"
            )
