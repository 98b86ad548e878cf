"""Outcomes of real runs, kept when their verdict is known: by the owner's feedback, or by a coding task's examples."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from agents.problem import AnswerForm
from orchestrator.outcomes.store import OutcomeStore, OutcomesUnreadable
from orchestrator.playbook.jobs import Teacher
from orchestrator.runs import RunRecord, UnknownRun
from orchestrator.storage.database import Database
from routers.assessment import answer_form
from routers.outcome import Outcome

_WAITING = 1000
_BATCH_SECONDS = 10.0
_log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """Writes outcomes down; the caller goes on at once."""

    def judged(self, run: str, owner: str) -> None:
        """Something is known about a run's answer, or no longer is."""
        ...


class NoRecorder:
    """Where no outcomes of runs are kept."""

    def judged(self, run: str, owner: str) -> None:
        return None


class OutcomeRecorder:
    """Implements ``Recorder``: in batches, off the request's path. Feedback that is taken back takes the outcome with
    it. At most a thousand runs wait; what comes beyond is not recorded, and the log says so. Use ``recording``, which
    writes what waits at the end."""

    def __init__(self, database: Database, store: OutcomeStore, keep: Literal["verdict", "text"]) -> None:
        self._database = database
        self._store = store
        self._keep = keep
        self._waiting: dict[str, str] = {}
        self._some = asyncio.Event()

    def judged(self, run: str, owner: str) -> None:
        if len(self._waiting) >= _WAITING and run not in self._waiting:
            _log.warning("an outcome is not recorded: too many wait to be written", run=run)
            return
        self._waiting[run] = owner
        self._some.set()

    async def work(self) -> None:
        """Write what comes in, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(_BATCH_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write what waits now."""
        self._some.clear()
        batch, self._waiting = self._waiting, {}
        found: list[Outcome] = []
        gone: list[str] = []
        try:
            for run, owner in batch.items():
                outcome = await self._outcome(run, owner)
                if outcome is None:
                    gone.append(run)
                else:
                    found.append(outcome)
            await asyncio.to_thread(self._store.append, found)
            await asyncio.to_thread(self._store.remove, gone)
        except (SQLAlchemyError, OutcomesUnreadable, OSError) as error:
            _log.warning("outcomes were not recorded", runs=len(batch), error=str(error))

    async def _outcome(self, run: str, owner: str) -> Outcome | None:
        """None where nothing is known about the answer, or nothing is any more."""
        try:
            record = await self._database.get_run(run, owner)
            known = await self._database.get_outcome(run, owner)
        except UnknownRun:
            return None
        question = next((m.content for m in reversed(record.request.messages) if m.role == "user"), "")
        form = answer_form(question)
        feedback = (await self._database.feedback_on([run], owner)).get(run)
        if feedback is not None:
            return self._of(record, question, form, feedback.rating == 1, "feedback")
        if known.form == "code" and known.supported is not None:
            return self._of(record, question, form, known.supported, "examples")
        return None

    def _of(self, record: RunRecord, question: str, form: AnswerForm, correct: bool, source: str) -> Outcome | None:
        if record.route is None or record.ledger is None:
            return None
        text = self._keep == "text"
        return Outcome(
            id=record.id,
            question=question if text else "",
            family="runs",
            split_key=record.request.thread or record.id,
            form=form,
            route=record.route,
            value=record.value if text else None,
            correct=correct,
            tokens=record.ledger.tokens,
            seconds=record.ledger.seconds,
            source=source,
            created=time.time(),
        )


@asynccontextmanager
async def recording(recorder: OutcomeRecorder) -> AsyncIterator[OutcomeRecorder]:
    """The recorder at work; what still waits at the end is written."""
    task = asyncio.create_task(recorder.work())
    try:
        yield recorder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await recorder.write()


class Heard:
    """Implements ``Teacher``: what owners say of their runs teaches the playbook, and is recorded."""

    def __init__(self, teacher: Teacher, recorder: Recorder) -> None:
        self._teacher = teacher
        self._recorder = recorder

    def ended(self, run: str, owner: str) -> None:
        self._teacher.ended(run, owner)
        self._recorder.judged(run, owner)

    async def aclose(self) -> None:
        await self._teacher.aclose()
