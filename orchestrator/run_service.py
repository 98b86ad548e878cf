"""Runs in this gateway's event loop: started, read, cancelled, and taken over from gateways that are gone."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agents.events import Event, RunFinished
from orchestrator import finish
from orchestrator.collaborations import Collaborations
from orchestrator.conducting import Conductor
from orchestrator.event_log import run_key, tail
from orchestrator.lease import RunLeases
from orchestrator.live_events import LiveEvents
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.run_execution import RunExecution
from orchestrator.runs import Busy, ModelOffer, RunRecord, RunRequest, UnknownRun
from orchestrator.settings import Settings
from orchestrator.storage.database import Database
from routers.route import Decision
from workers.engines.errors import EngineError
from workers.ledger import Budget, Ledger

_CANCEL_CHANNEL = "tandem:runs:cancel"
_RECOVERY_SECONDS = 3.0
# On the run itself, for whoever takes it over where nobody holds it now; a run that has expired stays gone.
_NOTE_CANCELLED = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'cancelled', 1) end"
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
        leases: RunLeases,
        execution: RunExecution,
        controller: Conductor,
        park: ModelPark,
        offers: Offers,
        collaborations: Collaborations,
        checks: Callable[[], Awaitable[dict[str, str]]],
    ) -> None:
        self._settings = settings
        self._redis = redis
        self._database = database
        self._leases = leases
        self._execution = execution
        self._controller = controller
        self._park = park
        self._offers = offers
        self._collaborations = collaborations
        self._checks = checks
        self._note_cancelled = redis.register_script(_NOTE_CANCELLED)
        self._starting = 0
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._live: dict[tuple[str, str], LiveEvents] = {}
        self._watchers: list[asyncio.Task[None]] = []

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
        await self._execution.settled()

    def offers(self) -> tuple[ModelOffer, ...]:
        return self._offers.listed()

    async def ready(self) -> dict[str, str]:
        return await self._checks()

    async def decide(self, request: RunRequest) -> Decision:
        self._offers.policy(request)
        await self._refuse_unfit(request)
        return await self._controller.decide(request)

    async def start(self, request: RunRequest) -> str:
        self._offers.policy(request)  # refuses an unknown model or strategy before anything is stored
        under_way = len(self._tasks) + self._starting
        if under_way >= self._settings.gateway.concurrent_runs:
            raise Busy(f"{under_way} runs are under way, which is the limit of this gateway", retry_after=5)
        self._starting += 1
        try:
            return await self._start(request)
        finally:
            self._starting -= 1

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
        await self._note_cancelled(keys=[run_key(run)])
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

    async def _start(self, request: RunRequest) -> str:
        await self._refuse_unfit(request)
        run = uuid.uuid4().hex
        pair = self._offers.pair(request)
        if pair is not None:
            await self._collaborations.admit(run, pair, request.options)
        try:
            new = await self._execution.begin(run, request, placed=pair is not None)
        except BaseException:  # a cancel too: the place must not stay taken
            if pair is not None:
                await self._collaborations.leave(run)
            raise
        self._live[run, request.owner] = new.log.live
        task = self._launch(run, self._execution.from_the_start(new))
        task.add_done_callback(lambda _: self._live.pop((run, request.owner)).close())
        return run

    async def _refuse_unfit(self, request: RunRequest) -> None:
        # An engine that is away cannot say what fits it, which is the run's own fault to report.
        with suppress(EngineError):
            await self._park.refuse_unfit(request)

    def _launch(self, run: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks[run] = task
        task.add_done_callback(lambda _: self._ended(run, task))
        return task

    def _ended(self, run: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(run) is task:
            del self._tasks[run]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("the work on a run broke off; it is taken over when its lease expires", run=run, exc_info=error)

    def _cancel_here(self, run: str) -> bool:
        task = self._tasks.get(run)
        if task is None:
            return False
        self._execution.note_cancelled(run)
        task.cancel()
        return True

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
                    # After a stall the lease of a run that goes on here may have expired: its next beat renews it.
                    if run not in self._tasks:
                        await self._take_over(run)
            except RedisError as error:
                _log.warning("orphaned runs cannot be found while Redis is away", error=str(error))
            await asyncio.sleep(_RECOVERY_SECONDS)

    async def _take_over(self, run: str) -> None:
        fence = await self._leases.take(run)
        if fence is not None:
            _log.info("taking over a run whose gateway is gone", run=run, fence=fence)
            self._launch(run, self._execution.from_where_it_was_left(run, fence))
