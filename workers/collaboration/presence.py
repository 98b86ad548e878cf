"""Whether any worker serves the queue of collaborative answers, as the workers themselves say."""

import asyncio
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

_KEY = "tandem:collaborate:served"
_BEAT_SECONDS = 1.0
_LIVE_MILLISECONDS = 4000


async def be_present(redis: Redis) -> None:
    """Say again and again that a worker is there, until cancelled."""
    while True:
        with suppress(RedisError):  # without Redis there is no queue to serve; the next beat tries again
            await redis.set(_KEY, 1, px=_LIVE_MILLISECONDS)
        await asyncio.sleep(_BEAT_SECONDS)


async def served(redis: Redis) -> bool:
    """Whether a worker was there within the last seconds."""
    return bool(await redis.exists(_KEY))
