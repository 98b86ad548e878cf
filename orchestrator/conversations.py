"""Conversations as the chat shows them: questions, and the runs that answer them, in a tree of branches."""

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import structlog
from pydantic import BaseModel, ConfigDict
from redis.exceptions import RedisError

from agents.events import RunStatus
from orchestrator.answer_cache import AnswerCache
from orchestrator.playbook.forgetting import Forgetting
from orchestrator.runs import RunRecord, RunRefused, RunRequest, Runs, UnknownRun, finished
from orchestrator.storage.artifacts import ArtifactStore
from orchestrator.storage.database import Database
from orchestrator.storage.records import Conversation, Feedback, StoredTurn, TurnSettings
from workers.ledger import Budget
from workers.messages import Message

_MOST_TURNS = 10_000
_TITLE_CHARACTERS = 60
_STOP_SECONDS = 10.0
_log = structlog.get_logger(__name__)


class UnknownTurn(LookupError):
    """The conversation has no such turn."""

    def __init__(self, turn: str) -> None:
        super().__init__(f"the conversation has no turn {turn[:80]!r}; GET it to see those it has")


class Turn(BaseModel):
    """A turn with what its run says. ``content`` of an answer under way is empty: the run's events have it."""

    model_config = ConfigDict(frozen=True)

    id: str
    parent: str | None
    role: Literal["user", "assistant"]
    content: str
    created: float
    run: str | None = None
    status: RunStatus | Literal["running"] | None = None
    route: str | None = None
    error: str | None = None
    settings: TurnSettings = TurnSettings()
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question to be run: start ``request``, then say so with ``Conversations.began``. ``question`` is None where an
    earlier question is answered once more."""

    conversation: str
    request: RunRequest
    parent: str
    question: StoredTurn | None
    settings: TurnSettings


class Conversations:
    """What can be done with conversations beyond storing them. Everything raises ``UnknownConversation`` where the
    conversation is not the owner's. ``gone`` hears of every run (and its owner) that is deleted, ``answers`` gives up
    what it kept of them, and ``forgetting`` what they taught."""

    def __init__(
        self,
        database: Database,
        runs: Runs,
        artifacts: ArtifactStore,
        gone: Callable[[str, str], None] = lambda run, owner: None,
        answers: AnswerCache | None = None,
        forgetting: Forgetting | None = None,
    ) -> None:
        self._database = database
        self._runs = runs
        self._artifacts = artifacts
        self._gone = gone
        self._answers = answers
        self._forgetting = forgetting

    async def read(self, conversation: str, owner: str) -> tuple[Conversation, list[Turn]]:
        """A conversation with all its branches, a question before its answers."""
        head = await self._database.get_conversation(conversation, owner)
        turns = await self._database.turns_of(conversation, owner)
        runs = [turn.run for turn in turns if turn.run]
        records, feedback = await self._records(runs, owner), await self._database.feedback_on(runs, owner)
        return head, [_view(turn, records.get(turn.run or ""), feedback.get(turn.run or "")) for turn in turns]

    async def question(
        self, conversation: str, owner: str, parent: str | None, content: str, settings: TurnSettings
    ) -> Prepared:
        """A new question after the answer ``parent``, None for the first. Raises ``UnknownTurn`` and ``RunRefused``."""
        _, turns = await self.read(conversation, owner)
        if len(turns) >= _MOST_TURNS:
            message = f"the conversation has {len(turns)} turns, which is the most there can be; begin another one"
            raise RunRefused(message, "content", "conversation_full")
        branch = _branch(turns, parent)
        if branch and branch[-1].role != "assistant":
            raise RunRefused(f"'parent' must be an answer, but turn {parent!r} is a question", "parent")
        asked = StoredTurn(
            id=uuid.uuid4().hex,
            conversation=conversation,
            parent=parent,
            role="user",
            content=content,
            created=time.time(),
        )
        request = _request(owner, [*branch, _view(asked, None, None)], settings)
        return Prepared(conversation, request, asked.id, asked, settings)

    async def once_more(self, conversation: str, owner: str, question: str, settings: TurnSettings) -> Prepared:
        """Another answer to the question of that turn. Raises ``UnknownTurn`` and ``RunRefused``."""
        _, turns = await self.read(conversation, owner)
        branch = _branch(turns, question)
        if branch[-1].role != "user":
            raise RunRefused(f"only a question can be answered, but turn {question!r} is an answer", "turn")
        # Whoever asks for another answer does not want the one that is kept.
        request = _request(owner, branch, settings).model_copy(update={"fresh": True})
        return Prepared(conversation, request, question, None, settings)

    async def began(self, prepared: Prepared, run: str) -> list[Turn]:
        """Store the turns of a question that ``run`` answers now: the question if it is new, and the answer."""
        answer = StoredTurn(
            id=uuid.uuid4().hex,
            conversation=prepared.conversation,
            parent=prepared.parent,
            role="assistant",
            content="",
            created=prepared.question.created if prepared.question else time.time(),
            run=run,
            settings=prepared.settings,
        )
        turns = [*([prepared.question] if prepared.question else []), answer]
        title = title_of(prepared.question.content) if prepared.question else ""
        await self._database.add_turns(prepared.conversation, prepared.request.owner, turns, title)
        return [_view(turn, None, None) for turn in turns]

    async def delete(self, conversation: str, owner: str) -> None:
        """Forget a conversation with its runs, their feedback and their files; what is under way is stopped first."""
        _, turns = await self.read(conversation, owner)
        await asyncio.gather(*(self._stop(turn.run, owner) for turn in turns if turn.run and turn.status == "running"))
        await self._database.delete_conversation(conversation, owner)
        runs = [turn.run for turn in turns if turn.run]
        records = await self._database.get_runs(runs, owner)
        await self._unlearn(owner, list(records.values()))
        for run in runs:
            if run in records:
                await self._forget_answer(records[run])
                with suppress(UnknownRun):
                    await self._database.delete_run(run, owner)
            await self._artifacts.remove(run)
            self._gone(run, owner)

    async def _unlearn(self, owner: str, records: Sequence[RunRecord]) -> None:
        if self._forgetting is None:
            return
        try:
            await self._forgetting.forget(owner, records)
        except RedisError as error:
            _log.warning("deleted runs stay in the playbook", runs=len(records), error=str(error))

    async def _forget_answer(self, record: RunRecord) -> None:
        if self._answers is None:
            return
        try:
            await self._answers.forget(record.request, record.id)
        except RedisError as error:
            _log.warning("a deleted run's answer is kept until its time is up", run=record.id, error=str(error))

    async def _records(self, runs: Collection[str], owner: str) -> dict[str, RunRecord]:
        records = await self._database.get_runs(runs, owner)
        for run in runs:
            if run not in records or records[run].status == "running":
                # The database learns of a run a moment after its start; who conducts it knows better.
                with suppress(UnknownRun):
                    records[run] = await self._runs.get(run, owner)
        return records

    async def _stop(self, run: str, owner: str) -> None:
        with suppress(UnknownRun, TimeoutError):
            await self._runs.cancel(run, owner)
            async with asyncio.timeout(_STOP_SECONDS):
                await finished(self._runs.events(run, owner))


def title_of(question: str) -> str:
    """The first words of a question, on one line."""
    words = " ".join(question.split())
    if len(words) <= _TITLE_CHARACTERS:
        return words
    cut = words[:_TITLE_CHARACTERS]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(",;:.") + "…"


def _branch(turns: Sequence[Turn], last: str | None) -> list[Turn]:
    """The turns from the first one to ``last``."""
    known = {turn.id: turn for turn in turns}
    branch: list[Turn] = []
    while last is not None:
        if last not in known:
            raise UnknownTurn(last)
        branch.append(known.pop(last))
        last = branch[-1].parent
    return branch[::-1]


def _request(owner: str, branch: Sequence[Turn], settings: TurnSettings) -> RunRequest:
    answers = [turn for turn in branch if turn.role == "assistant"]
    if any(turn.status == "running" for turn in answers):
        raise RunRefused(
            "an answer before this question is still being written; wait for it or stop it", "parent", "answer_running"
        )
    return RunRequest.model_validate(
        {
            "owner": owner,
            "model": settings.model or "auto",
            # What was stopped before its first word says nothing.
            "messages": tuple(Message(role=turn.role, content=turn.content) for turn in branch if turn.content),
            "effort": settings.reasoning_effort,
            "budget": None if settings.budget is None else Budget.model_validate(settings.budget),
            "strategy": settings.strategy,
            "follows": answers[-1].run if answers else None,
        }
    )


def _view(turn: StoredTurn, record: RunRecord | None, feedback: Feedback | None) -> Turn:
    shown = Turn(**turn.model_dump(exclude={"conversation"}), feedback=feedback)
    if turn.run is None:
        return shown
    if record is None:
        return shown.model_copy(update={"status": "running"})
    return shown.model_copy(
        update={"status": record.status, "content": record.text, "route": record.route, "error": record.error}
    )
