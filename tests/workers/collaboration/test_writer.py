"""A worker's half in this process: what happens when it is taken for dead and is not."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis

from tests.waiting import eventually, eventually_async, within_a_second
from workers.collaboration.job import Job, lease_key, record_key, stream_key
from workers.collaboration.leased_gate import Tell
from workers.collaboration.protocol import CollaborationEvent, CollaborationFinish, CollaborationRequest, Written
from workers.collaboration.stream import History, read_history
from workers.collaboration.writer import JobWriter
from workers.engines.address import EngineAddress
from workers.engines.protocol import Sampling
from workers.fence import FencedStream
from workers.messages import Message
from workers.usage import Usage

LENGTH = 60


class Counting:
    """Writes the numbers from where it is told to go on; ``pace`` seconds each."""

    def __init__(self, pace: float, last: int = LENGTH) -> None:
        self._pace = pace
        self._last = last
        self.began: list[int] = []
        self.closed = False
        self.spent = 0

    async def resume(
        self, request: CollaborationRequest, written: Sequence[Written]
    ) -> AsyncGenerator[CollaborationEvent, None]:
        self.began.append(len(written))
        try:
            for position in range(len(written), self._last):
                await asyncio.sleep(self._pace)
                request.meter.add("small", Usage(completion=1))
                self.spent += 1
                yield Written(position=position, id=position, text=f"{position} ", model="small")
            yield CollaborationFinish("stop", dict(request.meter.usage), dict(request.meter.calls))
        finally:
            self.closed = True


def writer(redis: Redis, collaboration: Counting) -> JobWriter:
    @asynccontextmanager
    async def opened(_job: Job, _tell: Tell) -> AsyncIterator[Counting]:
        yield collaboration

    return JobWriter(redis, opened)


async def put(redis: Redis) -> str:
    request = CollaborationRequest(
        job=uuid.uuid4().hex,
        policy="small",
        small="small",
        large="large",
        messages=(Message(role="user", content="Count."),),
        sampling=Sampling(),
    )
    engines = tuple(EngineAddress(name=name, kind="llamacpp", url="http://none") for name in ("small", "large"))
    job = Job(request=request, engines=engines)
    await redis.hset(record_key(job.id), mapping={"job": job.model_dump_json(), "fence": 0})
    return job.id


async def history_of(redis: Redis, job: str, least: int = 0) -> History:
    async with asyncio.timeout(10):
        while len((history := await read_history(redis, job)).written) < least:
            await asyncio.sleep(0.02)
    return history


def check_whole(history: History) -> None:
    assert [token.position for token in history.written] == list(range(LENGTH))
    assert history.ended


async def test_whoever_was_taken_for_dead_writes_nothing_more_and_stops(redis: Redis) -> None:
    job = await put(redis)
    zombie, successor = Counting(0.05), Counting(0.001)
    dying = asyncio.create_task(writer(redis, zombie).write(job))
    await history_of(redis, job, least=3)
    while not successor.began:
        await redis.delete(lease_key(job))  # as if its heartbeat had not come through
        await writer(redis, successor).write(job)
    check_whole(await history_of(redis, job))
    assert successor.began[0] >= 3
    async with asyncio.timeout(5):
        await dying
    assert zombie.closed
    check_whole(await history_of(redis, job))


async def test_a_process_that_was_taken_for_dead_may_take_its_own_answer_over(redis: Redis) -> None:
    job = await put(redis)
    zombie, successor = Counting(0.05), Counting(0.02)
    both = iter((zombie, successor))

    @asynccontextmanager
    async def opened(_job: Job, _tell: Tell) -> AsyncIterator[Counting]:
        yield next(both)

    process = JobWriter(redis, opened)
    dying = asyncio.create_task(process.write(job))
    await history_of(redis, job, least=3)
    successful: asyncio.Task[None] | None = None
    async with asyncio.timeout(10):
        while not successor.began:
            if successful is None or successful.done():
                await redis.delete(lease_key(job))  # as if its heartbeat had not come through
                successful = asyncio.create_task(process.write(job))
            await asyncio.sleep(0.01)
    assert successful is not None
    async with asyncio.timeout(5):
        await dying
    assert zombie.closed and not successful.done()
    assert await redis.exists(lease_key(job)), "the first one gave back the lease of the second"
    async with asyncio.timeout(10):
        await successful
    check_whole(await history_of(redis, job))
    assert not await redis.exists(lease_key(job))


async def test_a_lease_that_expired_in_a_stall_is_renewed_unless_another_took_the_answer(redis: Redis) -> None:
    job = await put(redis)
    stalled = Counting(60)
    writing = asyncio.create_task(writer(redis, stalled).write(job))
    await eventually(lambda: bool(stalled.began))
    await redis.delete(lease_key(job))

    async def leased() -> bool:
        return bool(await redis.exists(lease_key(job)))

    await eventually_async(leased, 5)
    assert not writing.done()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


async def test_usage_of_the_one_before_is_in_the_sum(redis: Redis) -> None:
    job = await put(redis)
    lost = Counting(0.01)
    first = asyncio.create_task(writer(redis, lost).write(job))
    await history_of(redis, job, least=5)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    assert not await redis.exists(lease_key(job)), "whoever stops in order gives the lease back"
    second = Counting(0.0)
    await writer(redis, second).write(job)
    history = await history_of(redis, job)
    check_whole(history)
    # Also what it had not written down when it was told to stop, which was decoded twice.
    assert history.meter.usage["small"].completion == lost.spent + second.spent >= LENGTH


async def test_two_workers_with_the_same_message_write_one_answer(redis: Redis) -> None:
    job = await put(redis)
    both = Counting(0.002), Counting(0.002)
    await asyncio.gather(*(writer(redis, counting).write(job) for counting in both))
    check_whole(await history_of(redis, job))
    assert len(both[0].began) + len(both[1].began) == 1
    late = Counting(0.0)
    await writer(redis, late).write(job)
    assert not late.began, "an answer that has ended is not written again"


async def test_a_worker_stops_within_a_second_when_nobody_reads_any_more(redis: Redis) -> None:
    job = await put(redis)
    silent = Counting(60)
    writing = asyncio.create_task(writer(redis, silent).write(job))
    await eventually(lambda: bool(silent.began))
    async with within_a_second():
        await redis.delete(record_key(job))
        await writing
    assert silent.closed
    assert not await redis.exists(lease_key(job))


async def test_an_answer_whose_beginning_is_lost_ends_with_an_error(redis: Redis) -> None:
    job = await put(redis)
    await writer(redis, Counting(0.0, last=5)).write(job)
    entries = await redis.xrange(f"{record_key(job)}:events")
    await redis.delete(f"{record_key(job)}:events")
    batch = entries[0][1][b"e"].replace(b'"position":0', b'"position":7').replace(b'"reason":"stop"', b'"reason":null')
    await redis.xadd(f"{record_key(job)}:events", {"e": batch})
    counting = Counting(0.0)
    await writer(redis, counting).write(job)
    assert not counting.began
    assert (await history_of(redis, job)).ended


async def test_the_stream_of_an_answer_is_bounded_and_expires(redis: Redis) -> None:
    job = await put(redis)
    await redis.hset(record_key(job), "fence", 1)
    names = {"record": record_key(job), "stream": stream_key(job)}
    stream = FencedStream(redis, **names, fence=1, longest=100, keep_seconds=60)
    for _ in range(40):
        await stream.append([b"{}"] * 25)
    # Redis trims by whole nodes, of a hundred entries each.
    assert 100 <= await redis.xlen(stream_key(job)) <= 200
    assert 0 < await redis.ttl(stream_key(job)) <= 60
