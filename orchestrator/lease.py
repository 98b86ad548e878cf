"""Who works on a run: a lease with a heartbeat and a fencing number, in Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from redis.asyncio import Redis

from orchestrator.event_log import run_key

ACTIVE = "tandem:runs:active"
LEASE_MILLISECONDS = 6000
_HEARTBEAT_SECONDS = 1.5

_TAKE = """
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[3], ARGV[3]) return -1 end
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
return redis.call('HINCRBY', KEYS[1], 'fence', 1)
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def lease_key(run: str) -> str:
    return f"tandem:run:{run}:lease"


class RunLeases:
    """Leases of one gateway, named ``holder``."""

    def __init__(self, redis: Redis, holder: str) -> None:
        self._redis = redis
        self._holder = holder
        self._take = redis.register_script(_TAKE)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)

    async def take(self, run: str) -> int | None:
        """The fencing number of a run that nobody holds; None when somebody does or the run is gone."""
        keys = [run_key(run), lease_key(run), ACTIVE]
        fence = int(await self._take(keys=keys, args=[self._holder, LEASE_MILLISECONDS, run]))
        return fence if fence > 0 else None

    async def release(self, run: str) -> None:
        await self._release(keys=[lease_key(run)], args=[self._holder])

    async def orphans(self) -> list[str]:
        """Active runs whose lease has expired: their gateway is gone."""
        runs = [member.decode() for member in cast(set[bytes], await self._redis.smembers(ACTIVE))]
        if not runs:
            return []
        held = await self._redis.mget([lease_key(run) for run in runs])
        return [run for run, holder in zip(runs, held, strict=True) if holder is None]

    @asynccontextmanager
    async def kept(self, run: str) -> AsyncIterator[None]:
        """Renew the lease in the background for as long as the block runs."""
        beat = asyncio.create_task(self._beat(run))
        try:
            yield
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat

    async def _beat(self, run: str) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            if not await self._renew(keys=[lease_key(run)], args=[self._holder, LEASE_MILLISECONDS]):
                # The fence in the event log stops this gateway's writes; there is nothing left to renew.
                return
