"""Who works on a run: a lease with a heartbeat and a fencing number, in Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from redis.asyncio import Redis

from orchestrator.event_log import run_key
from workers.fence import Leases

ACTIVE = "tandem:runs:active"
LEASE_MILLISECONDS = 6000
_HEARTBEAT_SECONDS = 1.5


def lease_key(run: str) -> str:
    return f"tandem:run:{run}:lease"


class RunLeases:
    """Leases of one gateway, named ``holder``."""

    def __init__(self, redis: Redis, holder: str) -> None:
        self._redis = redis
        self._leases = Leases(redis, holder, milliseconds=LEASE_MILLISECONDS, beat=_HEARTBEAT_SECONDS)

    async def take(self, run: str) -> int | None:
        """The fencing number of a run that nobody holds; None when somebody does or the run is gone."""
        fence = await self._leases.take(run_key(run), lease_key(run))
        if fence < 0:
            await self._redis.srem(ACTIVE, run)
        return fence if fence > 0 else None

    async def release(self, run: str) -> None:
        await self._leases.release(lease_key(run))

    async def orphans(self) -> list[str]:
        """Active runs whose lease has expired: their gateway is gone."""
        runs = [member.decode() for member in cast(set[bytes], await self._redis.smembers(ACTIVE))]
        if not runs:
            return []
        held = await self._redis.mget([lease_key(run) for run in runs])
        return [run for run, holder in zip(runs, held, strict=True) if holder is None]

    @asynccontextmanager
    async def kept(self, run: str) -> AsyncIterator[None]:
        """Renew the lease in the background for as long as the block runs. When it is lost, the fence in the event log
        stops this gateway's writes."""
        beat = asyncio.create_task(self._leases.keep(run_key(run), lease_key(run)))
        try:
            yield
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
