"""Collaboration as the gateway sees it: a Celery worker writes the answer, its tokens come back through Redis."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress

from celery import Celery
from kombu.exceptions import OperationalError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from workers.collaboration.faults import NoCollaborationWorker, error_of
from workers.collaboration.job import (
    LINE,
    QUEUE,
    READER_SECONDS,
    TASK,
    Job,
    bill_key,
    lease_key,
    record_key,
    stream_key,
)
from workers.collaboration.places import Places
from workers.collaboration.protocol import (
    CollaborationBusy,
    CollaborationEvent,
    CollaborationFinish,
    CollaborationRequest,
    Handover,
    Waiting,
    Written,
)
from workers.collaboration.stream import Batch, read_batches
from workers.collaboration.watch import Watch
from workers.engines.address import EngineAddress
from workers.engines.errors import EngineUnavailable

_BLOCK_MILLISECONDS = 500
_READER_BEAT_SECONDS = 2.0
_DROP_SECONDS = 2.0


class CeleryCollaboration:
    """Implements ``Collaboration``. At most ``limit`` answers wait or are written at once, over all gateways.

    A worker that dies is replaced: the answer goes on from the tokens that are in its stream. Without any worker it
    ends after ``patience`` seconds with ``NoCollaborationWorker``. ``head`` as in ``Job``.
    """

    def __init__(
        self,
        app: Celery,
        redis: Redis,
        engines: Mapping[str, EngineAddress],
        *,
        limit: int,
        patience: float,
        head: str = "",
    ) -> None:
        self._app = app
        self._redis = redis
        self._engines = engines
        self._patience = patience
        self._head = head
        self._drops: set[asyncio.Task[None]] = set()
        self.places = Places(redis, limit)

    async def write(self, request: CollaborationRequest, place: str = "") -> AsyncGenerator[CollaborationEvent, None]:
        """``place`` is one that the caller has taken already; else one is taken here."""
        place = place or request.job
        job = Job(request=request, engines=self._pair(request), head=self._head)
        try:
            await self.places.take(place)
            beat = asyncio.create_task(self._stay(job, place))
            ended = False
            try:
                await self._put(job)
                async for batch in self._batches(job):
                    request.meter.usage, request.meter.calls = dict(batch.usage), dict(batch.calls)
                    for event in batch.events:
                        yield event
                    ended = batch.last
                    if batch.fault is not None:
                        raise error_of(batch.fault)
                    if batch.reason is not None:
                        yield CollaborationFinish(batch.reason, batch.usage, batch.calls)
            finally:
                beat.cancel()
                # Shielded: an answer that is cancelled twice must not leave its worker writing.
                await asyncio.shield(self._dropping(job, place, beat, ended))
        except RedisError as error:
            raise EngineUnavailable(
                f"Redis does not answer ({error}), so no worker can be reached; start it or set its url in tandem.toml"
            ) from error

    def _pair(self, request: CollaborationRequest) -> tuple[EngineAddress, EngineAddress]:
        return self._engines[request.small], self._engines[request.large]

    async def aclose(self) -> None:
        """Wait until the workers of answers that were closed are told so; before Redis' client is closed."""
        if self._drops:
            await asyncio.wait(self._drops)

    async def _batches(self, job: Job) -> AsyncGenerator[Batch, None]:
        after, order = "0", _Order()
        watch = Watch(self._redis, job, self._patience)
        await self._send(job)
        while True:
            found = await read_batches(self._redis, job.id, after, _BLOCK_MILLISECONDS)
            for after, batch in found:  # noqa: B007 - goes on after the last one
                yield batch.model_copy(update={"events": tuple(filter(order.admits, batch.events))})
                if batch.last:
                    return
            if found:
                continue
            if await watch.lacks_worker():
                await self._send(job)
            waiting = await watch.waiting()
            if waiting is not None:
                yield Batch(events=(waiting,))

    async def _put(self, job: Job) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(record_key(job.id), mapping={"job": job.model_dump_json(), "fence": 0})
            pipe.expire(record_key(job.id), READER_SECONDS)
            pipe.rpush(LINE, job.id)
            pipe.expire(LINE, READER_SECONDS)
            await pipe.execute()

    async def _send(self, job: Job) -> None:
        try:
            await asyncio.to_thread(self._app.send_task, TASK, args=[job.id], queue=QUEUE)
        except OperationalError as error:
            raise NoCollaborationWorker(
                f"the queue of collaborative answers cannot be reached ({error}); start Redis or set its url in "
                "tandem.toml"
            ) from error

    async def _stay(self, job: Job, place: str) -> None:
        """Show that somebody reads: a worker does not go on without."""
        while True:
            await asyncio.sleep(_READER_BEAT_SECONDS)
            # The next beat may get through; and who has a place already is not turned away for lack of one.
            with suppress(RedisError, CollaborationBusy):
                await self._redis.expire(record_key(job.id), READER_SECONDS)
                await self._redis.expire(LINE, READER_SECONDS)
                await self.places.take(place)

    def _dropping(self, job: Job, place: str, beat: asyncio.Task[None], ended: bool) -> asyncio.Task[None]:
        task = asyncio.create_task(self._drop(job, place, beat, ended))
        self._drops.add(task)
        task.add_done_callback(self._drops.discard)
        return task

    async def _drop(self, job: Job, place: str, beat: asyncio.Task[None], ended: bool) -> None:
        """Nobody reads any more. Without its record a worker's next heartbeat fails, and it stops writing."""
        try:
            async with asyncio.timeout(_DROP_SECONDS):
                await asyncio.wait((beat,))
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.exists(lease_key(job.id))
                    pipe.hget(record_key(job.id), "fence")
                    pipe.delete(record_key(job.id), lease_key(job.id), stream_key(job.id))
                    pipe.lrem(LINE, 0, job.id)
                    held, fence, *_ = await pipe.execute()
                await self.places.leave(place)
                if held and not ended:
                    await self._take_bill(job, int(fence or 0))
        except (RedisError, TimeoutError):
            pass  # they expire by themselves

    async def _take_bill(self, job: Job, fence: int) -> None:
        """What the worker used until it had stopped both engines, which is after the last batch that was read."""
        bill = await self._redis.blpop([bill_key(job.id, fence)], timeout=_DROP_SECONDS)
        if bill is not None:
            last = Batch.model_validate_json(bill[1])
            job.request.meter.usage, job.request.meter.calls = dict(last.usage), dict(last.calls)


class _Order:
    """Checks that positions count up without gap or repeat; a hand-over that a second worker repeats is left out."""

    def __init__(self) -> None:
        self._next = 0
        self._handover: Handover | None = None

    def admits(self, event: Written | Handover | Waiting) -> bool:
        if isinstance(event, Waiting):
            return True
        if isinstance(event, Handover):
            repeated = self._handover is not None and (event.position, event.model) == (
                self._handover.position,
                self._handover.model,
            )
            self._handover = event
            return not repeated
        if event.position != self._next:
            raise RuntimeError(f"token {self._next} of the answer is missing in its stream: {event.position} came")
        self._next += 1
        return True
