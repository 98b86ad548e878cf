"""How many collaborative answers may wait or be written at once, over all gateways on one Redis."""

from redis.asyncio import Redis

from workers.collaboration.job import READER_SECONDS
from workers.collaboration.protocol import CollaborationBusy

_RETRY_AFTER_SECONDS = 10
_KEY = "tandem:collaborate:places"
# A place that nobody renews is free after its time to live: its gateway is gone.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  local taken = redis.call('ZCARD', KEYS[1])
  if taken >= tonumber(ARGV[2]) then return taken end
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[3])
return 0
"""


class Places:
    """At most ``limit`` at once."""

    def __init__(self, redis: Redis, limit: int) -> None:
        self._redis = redis
        self._limit = limit
        self._script = redis.register_script(_TAKE)

    async def take(self, place: str) -> None:
        """Take a place, or renew one: it is free again when it has not been renewed for ``READER_SECONDS``. Raises
        ``CollaborationBusy``."""
        taken = int(await self._script(keys=[_KEY], args=[place, self._limit, READER_SECONDS * 1000]))
        if taken:
            raise CollaborationBusy(
                f"{taken} collaborative answers wait or are being written, which is the limit (`queue` under "
                f"[collaboration]); try again in {_RETRY_AFTER_SECONDS} s or ask for one model",
                _RETRY_AFTER_SECONDS,
            )

    async def leave(self, place: str) -> None:
        await self._redis.zrem(_KEY, place)
