"""The decode lease against a real Redis."""

import asyncio
import random
import sys
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from tests.waiting import eventually, eventually_async
from workers.decode_lease import DecodeLease

HOLD_UNTIL_KILLED = """
import asyncio, sys
from redis.asyncio import Redis
from workers.decode_lease import DecodeLease

async def main():
    lease = DecodeLease(Redis.from_url(sys.argv[1]), time_to_live=1.5)
    async with lease.hold(sys.argv[2], 1):
        print("holding", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def tickets(redis: Redis) -> int:
    """Tickets that Redis knows: waiting or holding."""
    return int(await redis.hlen("{tandem:decode}:about"))


async def test_one_engine_decodes_at_a_time_and_no_more_than_its_slots(redis: Redis) -> None:
    leases = [DecodeLease(redis), DecodeLease(redis)]
    slots = {"small": 3, "large": 2}
    decoding: Counter[str] = Counter()
    most: Counter[str] = Counter()
    order = random.Random(7)

    async def decode(number: int) -> None:
        engine = order.choice(["small", "large"])
        await asyncio.sleep(order.random() * 0.05)
        async with leases[number % 2].hold(engine, slots[engine]):
            decoding[engine] += 1
            assert +decoding == {engine: decoding[engine]}, "two engines decode at once"
            most[engine] = max(most[engine], decoding[engine])
            await asyncio.sleep(order.random() * 0.02)
            decoding[engine] -= 1

    await asyncio.gather(*(decode(number) for number in range(30)))
    assert most["small"] <= slots["small"]
    assert most["large"] <= slots["large"]
    assert await tickets(redis) == 0


async def test_requests_of_one_engine_share_the_lease_up_to_its_slots(redis: Redis) -> None:
    lease = DecodeLease(redis)
    async with AsyncExitStack() as three:
        for _ in range(3):
            async with asyncio.timeout(10):
                await three.enter_async_context(lease.hold("small", 3))
        fourth = asyncio.create_task(use(lease, "small", 3, []))
        await waiting(redis, 1)
        assert not fourth.done()
    await fourth


async def test_one_who_waits_for_the_other_engine_is_not_overtaken(redis: Redis) -> None:
    lease = DecodeLease(redis)
    done: list[str] = []
    async with lease.hold("small", 4):
        large = asyncio.create_task(use(lease, "large", 4, done))
        await waiting(redis, 1)
        joiners = [asyncio.create_task(use(lease, "small", 4, done)) for _ in range(5)]
        await waiting(redis, 6)
        assert done == [], "there are free slots of the small engine, but the large one comes first"
    await asyncio.gather(large, *joiners)
    assert done == ["large", *["small"] * 5]


async def use(lease: DecodeLease, engine: str, slots: int, done: list[str]) -> None:
    async with lease.hold(engine, slots):
        done.append(engine)


async def waiting(redis: Redis, count: int) -> None:
    async def counted() -> bool:
        return bool(await redis.zcard("{tandem:decode}:waiting") == count)

    await eventually_async(counted)


async def test_a_stream_of_joiners_does_not_starve_the_other_engine(redis: Redis) -> None:
    lease = DecodeLease(redis)
    stop = asyncio.Event()

    async def keep_joining() -> None:
        while not stop.is_set():
            async with lease.hold("small", 4):
                await asyncio.sleep(0.02)

    joiners = [asyncio.create_task(keep_joining()) for _ in range(8)]
    await waiting(redis, 4)
    async with asyncio.timeout(20), lease.hold("large", 1):
        stop.set()
    await asyncio.gather(*joiners)


async def test_the_place_in_the_queue_is_told_as_it_changes(redis: Redis) -> None:
    lease = DecodeLease(redis)
    places: list[int] = []

    async def tell(place: int) -> None:
        places.append(place)

    async def last() -> None:
        async with lease.hold("large", 1, tell):
            pass

    async with AsyncExitStack() as second:
        async with lease.hold("small", 1):
            ahead = asyncio.create_task(second.enter_async_context(lease.hold("small", 1)))
            await waiting(redis, 1)
            behind = asyncio.create_task(last())
            await waiting(redis, 2)
        await ahead
        await eventually(lambda: places == [2, 1])
    await behind


async def test_nobody_is_told_to_wait_when_nobody_waits_and_it_is_one_round_trip(redis: Redis) -> None:
    lease = DecodeLease(redis)
    async with lease.hold("small", 1):
        pass  # the first use loads the script
    told: list[int] = []
    before = await commands(redis)
    async with lease.hold("small", 1, told.append):
        taken = await commands(redis)
    assert told == []
    assert taken - before == 1


async def commands(redis: Redis) -> int:
    return int((await redis.info("commandstats"))["cmdstat_evalsha"]["calls"])


async def test_a_cancelled_waiter_leaves_no_ticket(redis: Redis) -> None:
    lease = DecodeLease(redis)
    async with lease.hold("small", 1):
        waiter = asyncio.create_task(use(lease, "large", 1, []))
        await waiting(redis, 1)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert await tickets(redis) == 1
    assert await tickets(redis) == 0


async def test_a_killed_process_loses_its_ticket(redis: Redis, redis_url: str) -> None:
    command = [sys.executable, "-c", HOLD_UNTIL_KILLED, redis_url, "small"]
    holder = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"holding\n"
        assert await tickets(redis) == 1
    finally:
        holder.kill()
        await holder.wait()
    async with asyncio.timeout(15), DecodeLease(redis).hold("large", 1):
        assert await tickets(redis) == 1


async def test_a_long_hold_outlives_the_time_to_live(redis: Redis) -> None:
    lease = DecodeLease(redis, time_to_live=0.6)
    done: list[str] = []
    async with lease.hold("small", 1):
        other = asyncio.create_task(use(lease, "large", 1, done))
        await asyncio.sleep(1.5)
        assert done == [], "the heartbeat keeps the lease"
    await other
    assert done == ["large"]
