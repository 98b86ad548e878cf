"""Runs in this gateway's event loop: each one leased, fenced, logged to Redis, archived in the database."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.events import ArtifactMade, Charged, ContentDelta, Event, RunFinished, RunResumed, RunStarted
from agents.strategy import KeepFile
from orchestrator import finish
from orchestrator.collaborations import Collaborations
from orchestrator.conducting import Conductor
from orchestrator.equipment import Equipment
from orchestrator.event_log import EventLog, now, read_all, run_key, tail
from orchestrator.lease import ACTIVE, RunLeases, lease_key
from orchestrator.live_events import LiveEvents
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.outcomes.recorder import NoRecorder, Recorder
from orchestrator.playbook.jobs import NoTeacher, Teacher
from orchestrator.run_start import StartRecord
from orchestrator.runs import Busy, ModelOffer, RunRecord, RunRequest, UnknownRun
from orchestrator.settings import Settings
from orchestrator.state import RunContext, RunState
from orchestrator.storage.artifacts import ArtifactRefused, ArtifactStore
from orchestrator.storage.database import Database
from routers.route import Decision
from workers.fence import FencedOff
from workers.ledger import Budget, Charge, Ledger

_CANCEL_CHANNEL = "tandem:runs:cancel"
_RECOVERY_SECONDS = 3.0
_log = structlog.get_logger(__name__)


class RunService:
    """Implements ``Runs``. ``open`` before use and ``close`` after: a run under way at ``close`` keeps its checkpoint
    and goes on in the next gateway that starts."""

    def __init__(
        self,
        *,
        settings: Settings,
        redis: Redis,
        database: Database,
        controller: Conductor,
        park: ModelPark,
        offers: Offers,
        collaborations: Collaborations,
        checks: Callable[[], Awaitable[dict[str, str]]],
        equipment: Equipment,
        artifacts: ArtifactStore,
        teacher: Teacher = NoTeacher(),
        recorder: Recorder = NoRecorder(),
    ) -> None:
        self._settings = settings
        self._redis = redis
        self._database = database
        self._controller = controller
        self._park = park
        self._offers = offers
        self._collaborations = collaborations
        self._checks = checks
        self._equipment = equipment
        self._artifacts = artifacts
        self._teacher = teacher
        self._recorder = recorder
        self._holder = uuid.uuid4().hex
        self._leases = RunLeases(redis, self._holder)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._live: dict[tuple[str, str], LiveEvents] = {}
        self._cancelled: set[str] = set()
        self._starting: dict[str, StartRecord] = {}
        self._watchers: list[asyncio.Task[None]] = []
        self._ends: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._watchers = [
            asyncio.create_task(self._watch_cancellations()),
            asyncio.create_task(self._watch_orphans()),
        ]
        # Without Redis nobody knows which runs are lost; the next start looks again.
        with suppress(RedisError):
            await self._close_lost()

    async def close(self) -> None:
        tasks = [*self._watchers, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._ends, return_exceptions=True)

    def offers(self) -> tuple[ModelOffer, ...]:
        return self._offers.listed()

    async def ready(self) -> dict[str, str]:
        return await self._checks()

    async def decide(self, request: RunRequest) -> Decision:
        return await self._controller.decide(request)

    async def start(self, request: RunRequest) -> str:
        self._offers.policy(request)  # refuses an unknown model or strategy before anything is stored
        if len(self._tasks) >= self._settings.gateway.concurrent_runs:
            raise Busy(f"{len(self._tasks)} runs are under way, which is the limit of this gateway", retry_after=5)
        await self._park.refuse_unfit(request)
        run = uuid.uuid4().hex
        pair = self._offers.pair(request)
        if pair is not None:
            await self._collaborations.admit(run, pair, request.options)
        created = now()
        fields: dict[str, str | float] = {
            "request": request.model_dump_json(),
            "owner": request.owner,
            "created": created,
        }
        fence = await self._leases.begin(run, fields, self._settings.redis.keep_seconds)
        log = self._log_of(run, fence)
        record = RunRecord(id=run, owner=request.owner, status="running", request=request, created=created)
        self._starting[run] = StartRecord(self._database, record)
        self._live[run, request.owner] = log.live
        task = self._launch(run, self._fresh(run, request, created, log))
        task.add_done_callback(lambda _: self._live.pop((run, request.owner)).close())
        return run

    async def events(self, run: str, owner: str, after: str = "0") -> AsyncIterator[tuple[str, Event]]:
        live = self._live.get((run, owner))
        if live is None:
            await self._owned(run, owner)
        elif after == "0":
            async for item in live.read():
                yield item
                after = item[0]
                if isinstance(item[1], RunFinished):
                    return
        async for item in tail(self._redis, run, after):
            yield item

    async def cancel(self, run: str, owner: str) -> None:
        await self._owned(run, owner)
        if not self._cancel_here(run):
            await self._redis.publish(_CANCEL_CHANNEL, run)

    async def get(self, run: str, owner: str) -> RunRecord:
        stored = cast(dict[bytes, bytes], await self._redis.hgetall(run_key(run)))
        if not stored or b"finished" in stored:
            return await self._database.get_run(run, owner)
        if stored[b"owner"].decode() != owner:
            raise UnknownRun(run)
        request = RunRequest.model_validate_json(stored[b"request"])
        return RunRecord(id=run, owner=owner, status="running", request=request, created=float(stored[b"created"]))

    async def _owned(self, run: str, owner: str) -> None:
        stored = cast(bytes | None, await self._redis.hget(run_key(run), "owner"))
        if stored is None or stored.decode() != owner:
            raise UnknownRun(run)

    def _launch(self, run: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks[run] = task
        task.add_done_callback(lambda _: self._tasks.pop(run, None))
        return task

    def _cancel_here(self, run: str) -> bool:
        task = self._tasks.get(run)
        if task is None:
            return False
        self._cancelled.add(run)
        task.cancel()
        return True

    async def _fresh(self, run: str, request: RunRequest, created: float, log: EventLog) -> None:
        await log.emit(RunStarted(run=run, model=request.model, created=created))
        ledger = self._ledger(request, log)
        context = self._context(run, request.owner, log, ledger)
        try:
            await self._conduct(run, request, created, log, ledger, lambda: self._controller.run(request, context))
        finally:
            await self._started(run)

    async def _taken_over(self, run: str, fence: int) -> None:
        stored = cast(dict[bytes, bytes], await self._redis.hgetall(run_key(run)))
        request = RunRequest.model_validate_json(stored[b"request"])
        created = float(stored[b"created"])
        events = await read_all(self._redis, run)
        log = self._log_of(run, fence, events)
        ledger = self._ledger(request, log, [e.charge for e in events if isinstance(e, Charged)], now() - created)
        context = self._context(run, request.owner, log, ledger)
        await log.emit(RunResumed(fence=fence))
        if any(event.type == "content.delta" for event in events):
            await self._end(run, request, created, log, finish.lost(ledger.summary()), None)
            return
        has_checkpoint = await self._controller.checkpointed(run)
        work = self._controller.resume if has_checkpoint else None
        await self._conduct(
            run,
            request,
            created,
            log,
            ledger,
            lambda: work(context) if work else self._controller.run(request, context),
        )

    async def _conduct(
        self,
        run: str,
        request: RunRequest,
        created: float,
        log: EventLog,
        ledger: Ledger,
        work: Callable[[], Awaitable[RunState]],
    ) -> None:
        """Do a run's work under its lease and write its last event, whatever happens but the gateway's own end."""
        state: RunState | None = None
        try:
            async with self._leases.kept(run):
                try:
                    state = await work()
                    last = await self._within_bounds(request, state, finish.finished(state, ledger.summary()))
                except asyncio.CancelledError:
                    if run not in self._cancelled:
                        await self._leave(run, log)
                        raise
                    last = finish.cancelled(ledger.summary())
                except FencedOff:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever ends a run must reach its reader: it is logged and reported
                    if finish.expected(error):
                        _log.warning("run failed", run=run, error=str(error))
                    else:
                        _log.exception("run failed", run=run, error=type(error).__name__)
                    last = finish.failed(error, ledger.summary())
                # Shielded, and waited for at ``close``: a run that has come to its end is not ended again elsewhere.
                end = asyncio.create_task(self._end(run, request, created, log, last, state))
                self._ends.add(end)
                end.add_done_callback(self._ends.discard)
                await asyncio.shield(end)
        except FencedOff:
            _log.warning("run was taken over by another gateway", run=run)
        finally:
            self._cancelled.discard(run)

    async def _within_bounds(self, request: RunRequest, state: RunState, last: RunFinished) -> RunFinished:
        """A checked answer ended where the caller's ``max_completion_tokens`` ends a streamed one."""
        if finish.streamed(state):
            return last
        text = await self._park.shortened(last.text, request.max_completion_tokens)
        return last if text == last.text else last.model_copy(update={"text": text, "finish_reason": "length"})

    async def _end(
        self,
        run: str,
        request: RunRequest,
        created: float,
        log: EventLog,
        last: RunFinished,
        state: RunState | None,
    ) -> None:
        if last.status in ("cancelled", "error"):
            # What was read already is kept, in the record as on the screen.
            last = last.model_copy(update={"text": log.written})
        record = RunRecord(
            id=run,
            owner=request.owner,
            status=last.status,
            request=request,
            created=created,
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
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.srem(ACTIVE, run)
            pipe.delete(lease_key(run))
            await pipe.execute()
        if outcome is not None and outcome.lesson is not None:
            self._teacher.ended(run, request.owner)
        if outcome is not None and outcome.judged:
            self._recorder.judged(run, request.owner)

    async def _leave(self, run: str, log: EventLog) -> None:
        """The gateway stops: give the lease back, so that the next one resumes the run at once."""
        with suppress(RedisError, FencedOff):
            await log.flush()
            await self._leases.release(run)

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
        self, request: RunRequest, log: EventLog, earlier: list[Charge] | None = None, elapsed: float = 0.0
    ) -> Ledger:
        return Ledger(
            budget_of(request, self._settings, self._offers),
            elapsed=elapsed,
            listener=lambda charge: log.emit_now(Charged(charge=charge)),
            earlier=tuple(earlier or ()),
        )

    def _context(self, run: str, owner: str, log: EventLog, ledger: Ledger) -> RunContext:
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

    async def _watch_cancellations(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(_CANCEL_CHANNEL)
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            self._cancel_here(message["data"].decode())
            except RedisError as error:
                _log.warning("cancellations cannot be heard while Redis is away", error=str(error))
                await asyncio.sleep(_RECOVERY_SECONDS)

    async def _close_lost(self) -> None:
        """Runs that are stored as running but that Redis knows nothing of any more have ended with their gateway."""
        for record in await self._database.unfinished_runs():
            if record.id in self._tasks or await self._redis.exists(run_key(record.id)):
                continue
            last = finish.lost(Ledger(Budget()).summary())
            await self._database.save_run(record.model_copy(update={"status": last.status, "error": last.error}))

    async def _watch_orphans(self) -> None:
        while True:
            try:
                for run in await self._leases.orphans():
                    fence = await self._leases.take(run)
                    if fence is not None:
                        _log.info("taking over a run whose gateway is gone", run=run, fence=fence)
                        self._launch(run, self._taken_over(run, fence))
            except RedisError as error:
                _log.warning("orphaned runs cannot be found while Redis is away", error=str(error))
            await asyncio.sleep(_RECOVERY_SECONDS)


def budget_of(request: RunRequest, settings: Settings, offers: Offers) -> Budget:
    """The effort's budget with the caller's explicit limits in its place where given."""
    budget = settings.efforts[offers.effort(request)].budget
    if request.budget is None:
        return budget
    return budget.model_copy(update=request.budget.model_dump(exclude_none=True))
