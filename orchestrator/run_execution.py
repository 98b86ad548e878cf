"""The work on a run: from its start, or from where a gateway that is gone left it, to its last event."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.events import ArtifactMade, Charged, ContentDelta, Event, RunFinished, RunResumed, RunStarted
from agents.strategy import KeepFile
from orchestrator import finish
from orchestrator.collaborations import Collaborations
from orchestrator.conducting import Conductor
from orchestrator.equipment import Equipment
from orchestrator.event_log import EventLog, now, run_key
from orchestrator.lease import RunLeases
from orchestrator.left_run import UNREADABLE, LeftRun, read_left
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.outcomes.recorder import NoRecorder, Recorder
from orchestrator.playbook.jobs import NoTeacher, Teacher
from orchestrator.run_start import StartRecord
from orchestrator.runs import RunRecord, RunRequest
from orchestrator.settings import Settings
from orchestrator.state import RunContext, RunState
from orchestrator.storage.artifacts import ArtifactRefused, ArtifactStore
from orchestrator.storage.database import Database
from workers.fence import FencedOff
from workers.ledger import Budget, Charge, Ledger

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Underway:
    """A run that is worked on here, under its take ``fence``. ``created`` in seconds since 1970; ``placed``: it was
    given a place in the queue of collaborative answers."""

    run: str
    fence: int
    request: RunRequest
    created: float
    log: EventLog
    ledger: Ledger
    placed: bool = False


class RunExecution:
    """Each run is leased, fenced, logged to Redis while it is under way, and stored at its end."""

    def __init__(
        self,
        *,
        settings: Settings,
        redis: Redis,
        database: Database,
        leases: RunLeases,
        controller: Conductor,
        park: ModelPark,
        offers: Offers,
        collaborations: Collaborations,
        equipment: Equipment,
        artifacts: ArtifactStore,
        teacher: Teacher = NoTeacher(),
        recorder: Recorder = NoRecorder(),
    ) -> None:
        self._settings = settings
        self._redis = redis
        self._database = database
        self._leases = leases
        self._controller = controller
        self._park = park
        self._offers = offers
        self._collaborations = collaborations
        self._equipment = equipment
        self._artifacts = artifacts
        self._teacher = teacher
        self._recorder = recorder
        self._cancelled: set[str] = set()
        self._starting: dict[str, StartRecord] = {}
        self._ends: set[asyncio.Task[None]] = set()

    async def begin(self, run: str, request: RunRequest, placed: bool = False) -> Underway:
        """Take the lease of a new run and note that it has started. ``placed`` as in ``Underway``."""
        created = now()
        fields: dict[str, str | float] = {
            "request": request.model_dump_json(),
            "owner": request.owner,
            "created": created,
        }
        fence = await self._leases.begin(run, fields, self._settings.redis.keep_seconds)
        record = RunRecord(id=run, owner=request.owner, status="running", request=request, created=created)
        self._starting[run] = StartRecord(self._database, record)
        log = self._log_of(run, fence)
        return Underway(run, fence, request, created, log, self._ledger(request, log), placed)

    async def from_the_start(self, new: Underway) -> None:
        await new.log.emit(RunStarted(run=new.run, model=new.request.model, created=new.created))
        try:
            await self._conduct(new, lambda: self._controller.run(new.request, self._context(new)))
        finally:
            await self._started(new.run)

    async def from_where_it_was_left(self, run: str, fence: int) -> None:
        """Resume from the last checkpoint, or run again. A run that was cancelled meanwhile ends as that; one of which
        words were read already, or that cannot go on, as lost."""
        left = await self._found(run, fence)
        if left is None:
            await self._leases.end(run)
            return
        log = self._log_of(run, fence, left.events)
        ledger = self._ledger_of(left, log) if left.fault is None else Ledger(Budget())
        old = Underway(run, fence, left.request, left.created, log, ledger)
        await self._conduct(old, lambda: self._go_on(old, left))

    def note_cancelled(self, run: str) -> None:
        """The task of this run is about to be cancelled because its reader wishes so."""
        self._cancelled.add(run)

    async def settled(self) -> None:
        """Wait for the runs that have come to their end to be stored."""
        await asyncio.gather(*self._ends, return_exceptions=True)

    async def _found(self, run: str, fence: int) -> LeftRun | None:
        """None where there is nothing to take over."""
        try:
            async with self._leases.kept(run, fence):
                return await read_left(self._redis, run, fence)
        except asyncio.CancelledError:
            # By its reader, which is noted on the run for whoever takes it next, or by the gateway's end.
            self._cancelled.discard(run)
            await self._release(run, fence)
            raise

    async def _go_on(self, old: Underway, left: LeftRun) -> RunState | RunFinished:
        """What the run came to, or its last event where it does not go on."""
        await old.log.emit(RunResumed(fence=old.fence))
        if left.cancelled:
            return finish.cancelled(old.ledger.summary())
        if left.fault is not None:
            return finish.lost(old.ledger.summary(), left.fault)
        if old.log.written:
            return finish.lost(old.ledger.summary())
        try:
            checkpointed = await self._controller.checkpointed(old.run)
        except Exception:  # noqa: BLE001 - whatever is wrong with a checkpoint ends its run, and is logged
            _log.exception("the checkpoint of a run that was left cannot be read", run=old.run)
            return finish.lost(old.ledger.summary(), UNREADABLE)
        if checkpointed:
            return await self._controller.resume(self._context(old))
        return await self._controller.run(old.request, self._context(old))

    async def _conduct(self, underway: Underway, work: Callable[[], Awaitable[RunState | RunFinished]]) -> None:
        """Do a run's work under its lease and write its last event, whatever happens but the gateway's own end."""
        try:
            last, state = await self._under_lease(underway, work)
            # Shielded, and waited for at ``close``: a run that has come to its end is not ended again elsewhere.
            end = asyncio.create_task(self._end(underway, last, state))
            self._ends.add(end)
            end.add_done_callback(self._ends.discard)
            await asyncio.shield(end)
        except FencedOff:
            _log.warning("run was taken over by another gateway", run=underway.run)
        finally:
            self._cancelled.discard(underway.run)

    async def _under_lease(
        self, underway: Underway, work: Callable[[], Awaitable[RunState | RunFinished]]
    ) -> tuple[RunFinished, RunState | None]:
        """The run's last event, and the state it came to, if any."""
        try:
            async with self._leases.kept(underway.run, underway.fence):
                return await self._result(underway, work)
        except asyncio.CancelledError:
            if underway.run not in self._cancelled:
                await self._leave(underway)
                raise
            return finish.cancelled(underway.ledger.summary()), None

    async def _result(
        self, underway: Underway, work: Callable[[], Awaitable[RunState | RunFinished]]
    ) -> tuple[RunFinished, RunState | None]:
        run, ledger = underway.run, underway.ledger
        try:
            result = await work()
            if isinstance(result, RunFinished):
                return result, None
            last = finish.finished(result, ledger.summary())
            return await self._within_bounds(underway.request, result, last), result
        except FencedOff:
            raise
        except Exception as error:  # noqa: BLE001 - whatever ends a run must reach its reader: it is logged and reported
            if finish.expected(error):
                _log.warning("run failed", run=run, error=str(error))
            else:
                _log.exception("run failed", run=run, error=type(error).__name__)
            return finish.failed(error, ledger.summary()), None

    async def _within_bounds(self, request: RunRequest, state: RunState, last: RunFinished) -> RunFinished:
        """A checked answer ended where the caller's ``max_completion_tokens`` ends a streamed one."""
        if finish.streamed(state):
            return last
        text = await self._park.shortened(last.text, request.max_completion_tokens)
        return last if text == last.text else last.model_copy(update={"text": text, "finish_reason": "length"})

    async def _end(self, underway: Underway, last: RunFinished, state: RunState | None) -> None:
        async with self._leases.kept(underway.run, underway.fence):
            if underway.placed:
                await self._collaborations.leave(underway.run)
            await self._store(underway, last, state)

    async def _store(self, underway: Underway, last: RunFinished, state: RunState | None) -> None:
        run, request, log = underway.run, underway.request, underway.log
        if last.status in ("cancelled", "error"):
            # What was read already is kept, in the record as on the screen.
            last = last.model_copy(update={"text": log.written})
        record = RunRecord(
            id=run,
            owner=request.owner,
            status=last.status,
            request=request,
            created=underway.created,
            route=last.route,
            text=last.text,
            value=last.value,
            ledger=last.ledger,
            error=last.error,
        )
        if state is not None and last.text and not finish.streamed(state):
            await log.emit(ContentDelta(text=last.text, model=state["decision"].route.models[-1]))
        await log.flush()
        await self._started(run)
        # Stored before it is announced: whoever has seen the last event can read the record.
        outcome = finish.outcome(state)
        await self._database.save_run(record, outcome)
        await self._redis.hset(run_key(run), "finished", 1)
        await log.emit(last)
        await log.flush()
        await self._leases.end(run)
        if outcome is not None and outcome.lesson is not None:
            self._teacher.ended(run, request.owner)
        if outcome is not None and outcome.judged:
            self._recorder.judged(run, request.owner)

    async def _leave(self, underway: Underway) -> None:
        """The gateway stops: give the lease back, so that the next one resumes the run at once."""
        with suppress(RedisError, FencedOff):
            await underway.log.flush()
            await self._release(underway.run, underway.fence)

    async def _release(self, run: str, fence: int) -> None:
        with suppress(RedisError):
            await self._leases.release(run, fence)

    async def _started(self, run: str) -> None:
        """Nothing more is stored of the run's start."""
        start = self._starting.pop(run, None)
        if start is not None:
            await start.settled()

    def _log_of(self, run: str, fence: int, earlier: Iterable[Event] = ()) -> EventLog:
        redis = self._settings.redis
        return EventLog(
            self._redis,
            run,
            fence,
            keep_seconds=redis.keep_seconds,
            longest=redis.stream_events,
            earlier=earlier,
        )

    def _ledger(
        self, request: RunRequest, log: EventLog, earlier: tuple[Charge, ...] = (), elapsed: float = 0.0
    ) -> Ledger:
        return Ledger(
            self._offers.budget(request),
            elapsed=elapsed,
            listener=lambda charge: log.emit_now(Charged(charge=charge)),
            earlier=earlier,
        )

    def _ledger_of(self, left: LeftRun, log: EventLog) -> Ledger:
        """With what the run has used already."""
        charges = tuple(event.charge for event in left.events if isinstance(event, Charged))
        return self._ledger(left.request, log, charges, now() - left.created)

    def _context(self, underway: Underway) -> RunContext:
        run, owner, log, ledger = underway.run, underway.request.owner, underway.log, underway.ledger
        return RunContext(
            run=run,
            emit=log.emit,
            ledger=ledger,
            models=self._park.for_run(ledger, log.emit),
            problem=self._park.problem,
            collaboration=self._collaborations.for_run(run, ledger),
            toolbox=lambda: self._equipment.toolbox(owner),
            keep_file=self._keeper(run, log),
        )

    def _keeper(self, run: str, log: EventLog) -> KeepFile:
        async def keep(name: str, data: bytes) -> None:
            try:
                kept = await self._artifacts.put(run, name, data)
            except ArtifactRefused as refused:
                _log.info("a program's file was not kept", run=run, reason=str(refused))
                return
            await log.emit(ArtifactMade(name=kept.name, media_type=kept.media_type, size=kept.size))

        return keep
