"""Work behind the scenes gives way: it stops as soon as somebody's run is under way."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from redis.asyncio import Redis

from orchestrator.lease import ACTIVE

_LOOK_SECONDS = 0.25
_Result = TypeVar("_Result")


class Interrupted(Exception):
    """A run began; what was done so far is lost."""


class Quiet:
    """``redis`` is that of the runs."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def busy(self) -> bool:
        return bool(await self._redis.scard(ACTIVE))

    async def during(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do ``work`` while no run is under way. Raises ``Interrupted``, with the work cancelled on its engines."""
        task = asyncio.create_task(work)
        try:
            while not task.done():
                if await self.busy():
                    raise Interrupted("a run is under way")
                await asyncio.wait([task], timeout=_LOOK_SECONDS)
            return await task
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
