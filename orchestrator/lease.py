"""Who works on a run: a lease with a heartbeat and a fencing number, in Redis."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import cast

from redis.asyncio import Redis

from orchestrator.event_log import run_key
from workers.fence import Leases

ACTIVE = "tandem:runs:active"
LEASE_MILLISECONDS = 6000
_HEARTBEAT_SECONDS = 1.5
FIRST_FENCE = 1
"""The fencing number of the gateway that started a run; each that takes it over has the next one."""

# A run is there, leased and listed as active at once or not at all. One call of a script is read sooner than a
# transaction of as many commands.
_BEGIN = """
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('SADD', KEYS[3], ARGV[1])
"""


def lease_key(run: str) -> str:
    return f"tandem:run:{run}:lease"


class RunLeases:
    """Leases of one gateway."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._leases = Leases(redis, milliseconds=LEASE_MILLISECONDS, beat=_HEARTBEAT_SECONDS)
        self._begin = redis.register_script(_BEGIN)

    async def begin(self, run: str, fields: Mapping[str, str | float], keep_seconds: int) -> int:
        """Record a new run with its ``fields``, and hold it. Its fencing number."""
        pairs = [part for pair in fields.items() for part in pair]
        keys = [run_key(run), lease_key(run), ACTIVE]
        await self._begin(
            keys=keys, args=[run, FIRST_FENCE, LEASE_MILLISECONDS, keep_seconds, "fence", FIRST_FENCE, *pairs]
        )
        return FIRST_FENCE

    async def take(self, run: str) -> int | None:
        """The fencing number of a run that nobody holds; None when somebody does or the run is gone."""
        fence = await self._leases.take(run_key(run), lease_key(run))
        if fence < 0:
            await self._redis.srem(ACTIVE, run)
        return fence if fence > 0 else None

    async def release(self, run: str, fence: int) -> None:
        """Give a run back that is not ``kept`` any more."""
        await self._leases.release(lease_key(run), fence)

    async def end(self, run: str) -> None:
        """Nobody has to work on this run any more."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.srem(ACTIVE, run)
            pipe.delete(lease_key(run))
            await pipe.execute()

    async def orphans(self) -> list[str]:
        """Active runs whose lease has expired: their gateway is gone."""
        runs = [member.decode() for member in cast(set[bytes], await self._redis.smembers(ACTIVE))]
        if not runs:
            return []
        held = await self._redis.mget([lease_key(run) for run in runs])
        return [run for run, holder in zip(runs, held, strict=True) if holder is None]

    @asynccontextmanager
    async def kept(self, run: str, fence: int) -> AsyncIterator[None]:
        """Renew the lease in the background for as long as the block runs. When it is lost, the fence in the event log
        stops this gateway's writes."""
        beat = asyncio.create_task(self._leases.keep(run_key(run), lease_key(run), fence))
        try:
            yield
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
