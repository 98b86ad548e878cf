"""Writes answers in a worker process: under a lease, fenced, from the tokens that are there already."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Protocol, cast

from redis.asyncio import Redis

from workers.collaboration.batches import batches
from workers.collaboration.faults import Fault, expected, fault_of
from workers.collaboration.job import (
    BEAT_SECONDS,
    BILL_SECONDS,
    KEEP_SECONDS,
    LEASE_MILLISECONDS,
    LONGEST_STREAM,
    Job,
    bill_key,
    lease_key,
    record_key,
    stream_key,
)
from workers.collaboration.leased_gate import Tell
from workers.collaboration.protocol import (
    CollaborationEvent,
    CollaborationFinish,
    CollaborationMeter,
    CollaborationRequest,
    Waiting,
    Written,
)
from workers.collaboration.stream import Batch, History, read_history
from workers.fence import FencedOff, FencedStream, Leases

_BATCH_SECONDS = 0.02
_BATCH_TOKENS = 64
_log = logging.getLogger(__name__)


class Resumable(Protocol):
    """Writes an answer, going on from the tokens that are written already."""

    def resume(
        self, request: CollaborationRequest, written: Sequence[Written]
    ) -> AsyncGenerator[CollaborationEvent, None]: ...


class JobWriter:
    """One for a worker process. Every answer is one call of ``write``; many run at once on one event loop."""

    def __init__(self, redis: Redis, open_for: Callable[[Job, Tell], AbstractAsyncContextManager[Resumable]]) -> None:
        """``open_for`` gives what writes an answer and tells of waits, open for as long as it is being written."""
        self._redis = redis
        self._open_for = open_for
        self._leases = Leases(redis, milliseconds=LEASE_MILLISECONDS, beat=BEAT_SECONDS)

    async def write(self, job_id: str) -> None:
        """Write the answer to its end and say in its stream how it ended; leave at once where somebody else writes it
        or nobody wants it any more. Cancelled, it hands the answer back, so that another worker goes on with it."""
        record, lease = record_key(job_id), lease_key(job_id)
        fence = await self._leases.take(record, lease)
        if fence < 1:
            return
        writing = asyncio.create_task(self._write(job_id, fence))
        keeping = asyncio.create_task(self._leases.keep(record, lease, fence))
        try:
            # Where the lease is lost first, nobody waits for what this worker writes.
            await asyncio.wait((writing, keeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writing, keeping):
                task.cancel()
            ends = await asyncio.gather(writing, keeping, return_exceptions=True)
            await asyncio.shield(self._leases.release(lease, fence))
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, FencedOff):
                raise end

    async def _write(self, job_id: str, fence: int) -> None:
        job = Job.model_validate_json(cast(bytes, await self._redis.hget(record_key(job_id), "job")))
        history = await read_history(self._redis, job_id)
        if history.ended:
            return
        stream = FencedStream(
            self._redis,
            record=record_key(job_id),
            stream=stream_key(job_id),
            fence=fence,
            longest=LONGEST_STREAM,
            keep_seconds=KEEP_SECONDS,
        )
        out = _Out(stream, history.meter, job.request.meter, self._biller(job_id, fence))
        if not history.whole:
            message = f"the first tokens of answer {job_id} are no longer in its stream; send the request again"
            await out.end(fault=Fault(kind="internal", message=message))
            return
        try:
            await self._copy(job, history, out)
        except (asyncio.CancelledError, FencedOff):
            await out.settle()
            raise
        except Exception as error:  # noqa: BLE001 - whatever ends an answer must reach its reader: it is logged and told
            if not expected(error):
                _log.exception("answer %s failed", job_id)
            await out.end(fault=fault_of(error, job_id))

    async def _copy(self, job: Job, history: History, out: "_Out") -> None:
        async with self._open_for(job, out.wait) as collaboration:
            events = collaboration.resume(job.request, history.written)
            async with aclosing(batches(events, seconds=_BATCH_SECONDS, most=_BATCH_TOKENS)) as handfuls:
                async for handful in handfuls:
                    await out.write(handful)

    def _biller(self, job_id: str, fence: int) -> "Bill":
        key = bill_key(job_id, fence)

        async def bill(text: str) -> None:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.rpush(key, text)
                pipe.expire(key, BILL_SECONDS)
                await pipe.execute()

        return bill


Bill = Callable[[str], Awaitable[None]]


class _Out:
    """The way into the stream. ``earlier`` is what lost workers used, ``meter`` what this one uses; ``bill`` takes the
    account to the reader where the stream is closed to this worker."""

    def __init__(
        self, stream: FencedStream, earlier: CollaborationMeter, meter: CollaborationMeter, bill: Bill
    ) -> None:
        self._stream = stream
        self._bill = bill
        self._earlier = earlier
        self._meter = meter

    async def write(self, events: Sequence[CollaborationEvent]) -> None:
        shown = tuple(event for event in events if not isinstance(event, CollaborationFinish))
        finish = next((event for event in events if isinstance(event, CollaborationFinish)), None)
        await self._append(Batch(events=shown, reason=finish.reason if finish else None))

    async def end(self, fault: Fault) -> None:
        await self._append(Batch(fault=fault))

    async def wait(self, model: str, place: int) -> None:
        """Tell the reader that the answer waits for its turn."""
        await self._append(Batch(events=(Waiting(waits_for=model, place=place),)))

    async def settle(self) -> None:
        """Account for what was used since the last batch, of an answer that this worker does not go on with."""
        try:
            await self._append(Batch())
        except FencedOff:
            await self._bill(self._metered(Batch()).model_dump_json())

    async def _append(self, batch: Batch) -> None:
        await self._stream.append([self._metered(batch).model_dump_json().encode()])

    def _metered(self, batch: Batch) -> Batch:
        total = CollaborationMeter(dict(self._earlier.usage), dict(self._earlier.calls))
        for model, usage in self._meter.usage.items():
            total.add(model, usage, self._meter.calls.get(model, 0))
        return batch.model_copy(update={"usage": total.usage, "calls": total.calls})
