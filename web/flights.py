"""Runs that this gateway has started: each holds a slot of its owner's limit until its last event."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from redis.exceptions import RedisError
from structlog.typing import FilteringBoundLogger

from agents.events import RunFinished
from orchestrator.runs import RunRequest, Runs, UnknownRun, finished
from web.identity import Identity
from web.limits import Limits
from web.metrics import Metrics

_RENEW_SECONDS = 30.0


@dataclass(slots=True)
class Flight:
    """One run under way. ``started`` is monotonic seconds."""

    run: str
    request: RunRequest
    slot: str
    started: float = field(default_factory=time.monotonic)
    seen_token: bool = False
    ended: bool = False


class Flights:
    """Starts runs within their owner's limits, and accounts for each when it ends."""

    def __init__(self, runs: Runs, limits: Limits, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self._runs = runs
        self._limits = limits
        self._metrics = metrics
        self._log = log
        self._held: dict[str, str] = {}
        self._following: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Flights"]:
        """Renew the slots held, in the background; at the end give them back."""
        renewing = asyncio.create_task(self._renew_forever())
        try:
            yield self
        finally:
            tasks = [renewing, *self._following]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for slot, owner in list(self._held.items()):
                await self._release(owner, slot)

    async def start(self, who: Identity, requests: Sequence[RunRequest]) -> list[Flight]:
        """Start all of them or none. Raises ``ApiError`` 429, ``RunRefused`` or ``Busy``."""
        slots = [uuid.uuid4().hex for _ in requests]
        await self._limits.take(who, slots)
        self._held.update(dict.fromkeys(slots, who.owner))
        flights: list[Flight] = []
        try:
            for slot, request in zip(slots, requests, strict=True):
                run = await self._runs.start(request)
                flights.append(Flight(run, request, slot))
                self._metrics.run_started()
        except BaseException:  # also a cancelled start must neither hold slots nor leave runs behind
            for flight in flights:
                await asyncio.shield(self.abandon(flight))
            for slot in slots[len(flights) :]:
                await self._release(who.owner, slot)
            raise
        return flights

    def first_token(self, flight: Flight) -> None:
        """The first piece of the visible answer is here; later calls change nothing."""
        if not flight.seen_token:
            flight.seen_token = True
            self._metrics.first_token(time.monotonic() - flight.started)

    async def ended(self, flight: Flight, last: RunFinished | None) -> None:
        """Account for a run's end, once. None: its last event will not be seen any more."""
        if flight.ended:
            return
        flight.ended = True
        status = last.status if last else "lost"
        seconds = time.monotonic() - flight.started
        self._metrics.run_ended(status, seconds, last.ledger if last else None)
        self._log.info(
            "run",
            run=flight.run,
            owner=flight.request.owner,
            model=flight.request.model,
            route=last.route if last else None,
            status=status,
            seconds=round(seconds, 3),
        )
        await self._release(flight.request.owner, flight.slot)

    async def abandon(self, flight: Flight) -> None:
        """Nobody waits for the run any more: cancel it, and account for it when it has ended."""
        if flight.ended:
            return
        with suppress(UnknownRun):
            await self._runs.cancel(flight.run, flight.request.owner)
        self.follow(flight)

    def follow(self, flight: Flight) -> None:
        """Wait for the run's end in the background. There are as many such tasks as slots, at most."""
        task = asyncio.create_task(self._follow(flight))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _follow(self, flight: Flight) -> None:
        last: RunFinished | None = None
        try:
            last = await finished(self._runs.events(flight.run, flight.request.owner))
        # A background task has nobody to raise to: the run counts as lost, and is logged.
        except Exception as error:  # noqa: BLE001
            self._log.warning("run lost from sight", run=flight.run, error=repr(error))
        await self.ended(flight, last)

    async def _release(self, owner: str, slot: str) -> None:
        self._held.pop(slot, None)
        try:
            await self._limits.release(owner, [slot])
        except RedisError as error:
            self._log.warning("slot not released; it frees itself", owner=owner, error=repr(error))

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            by_owner: dict[str, list[str]] = {}
            for slot, owner in self._held.items():
                by_owner.setdefault(owner, []).append(slot)
            try:
                for owner, slots in by_owner.items():
                    await self._limits.renew(owner, slots)
            except RedisError as error:
                self._log.warning("slots not renewed", error=repr(error))
