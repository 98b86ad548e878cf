"""Deleted runs leave the playbook: what they taught is taken back, and their questions stand nowhere in it."""

from collections.abc import Collection, Sequence
from contextlib import suppress

from orchestrator.playbook.archived import DatabaseArchive
from orchestrator.playbook.entry import Entry, UnknownEntry
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.shadow import trial_name
from orchestrator.playbook.text import PROBLEM_CHARACTERS, plain
from orchestrator.runs import RunRecord, RunRequest
from orchestrator.storage.database import Database

_LATEST = 200
"""Runs among which another question of a topic is looked for."""


class Forgetting:
    """Instructions that a model distilled from a run stay: nobody knows which words of theirs come from it. Examples
    go, and recipes with such: they quote a question and its answer."""

    def __init__(self, parts: PlaybookParts, database: Database) -> None:
        self._parts = parts
        self._database = database
        self._archive = DatabaseArchive(database)

    async def forget(self, owner: str, runs: Sequence[RunRecord]) -> None:
        """Before they are deleted. Raises ``redis.exceptions.RedisError``, and may be called again then."""
        for run in runs:
            await self._take_back(owner, run.id)
        questions = {_question(run.request) for run in runs} - {""}
        await self._reword(owner, questions, {run.id for run in runs})

    async def _take_back(self, owner: str, run: str) -> None:
        """What it added itself, and what trials on its question did. What was learned longer ago than is remembered
        stays counted."""
        taught = await self._parts.entries.some(owner, await self._database.taught_by(run, owner))
        touched = {entry.id for entry in taught}
        for trial in (run, *(trial_name(run, entry) for entry in taught)):
            touched.update(await self._parts.records.take_back(owner, trial))
        await self._parts.topics.forget_question(owner, run)
        for entry in await self._parts.entries.some(owner, sorted(touched)):
            await self._archive.keep([await self._parts.entries.revalue(entry)])
        await self._database.remove_outcomes(run, owner)

    async def _reword(self, owner: str, questions: set[str], gone: Collection[str]) -> None:
        """Where a topic is known by one of these questions, it is known by another of its own from now on, if there is
        one."""
        about = [Entry.model_validate(each) for each in await self._database.stored_entries_about(owner, questions)]
        quoting = {entry.id for entry in about if any(entry.quotes(question) for question in questions)}
        await self._delete(owner, sorted(quoting))
        entries = [entry for entry in about if entry.id not in quoting]
        topics = {*await self._parts.topics.begun_with(owner, questions), *(entry.topic for entry in entries)}
        others = await self._others(owner, topics, questions, gone) if topics else {}
        for topic in topics:
            await self._parts.topics.reword(owner, topic, others.get(topic, ""))
        for entry in entries:
            await self._archive.keep([await self._reworded(entry, others.get(entry.topic, ""))])

    async def _delete(self, owner: str, entries: Sequence[str]) -> None:
        for entry in entries:
            with suppress(UnknownEntry):  # only the database has it
                await self._parts.entries.delete(owner, entry)
        await self._archive.forget(owner, entries)

    async def _reworded(self, entry: Entry, problem: str) -> Entry:
        try:
            return await self._parts.entries.reword(entry.owner, entry.id, problem)
        except UnknownEntry:  # only the database has it
            return entry.model_copy(update={"problem": problem})

    async def _others(
        self, owner: str, topics: Collection[str], questions: Collection[str], gone: Collection[str]
    ) -> dict[str, str]:
        """A question of each topic that was asked elsewhere."""
        found: dict[str, str] = {}
        for run in await self._database.taught_runs(owner, latest=_LATEST):
            topic = None if run.id in gone else await self._parts.records.topic_of(owner, run.id)
            question = _question(RunRequest.model_validate(run.request))
            if topic is not None and topic in topics and question not in questions:
                found[topic] = question
        return found


def _question(request: RunRequest) -> str:
    """As the playbook keeps it."""
    asked = next((message.content for message in reversed(request.messages) if message.role == "user"), "")
    return plain(asked, PROBLEM_CHARACTERS)
