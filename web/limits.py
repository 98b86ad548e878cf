"""How much one owner may start: a token bucket per minute and a cap on runs at once, in Redis for all gateways."""

import math
from collections.abc import Sequence

from redis.asyncio import Redis

from web.errors import too_many
from web.identity import Identity

# KEYS: bucket, slots. ARGV: runs per minute, runs at once, lease in ms, then the slots wanted (none: rate only).
# Redis' own clock is used, so that gateways with different clocks agree. Returns {what refused, wait in ms}.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rate, cap, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local slots = #ARGV - 3
local wanted = math.max(1, slots)
if slots > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  if redis.call('ZCARD', KEYS[2]) + slots > cap then return {1, 1000} end
end
local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(bucket[1]) or rate
level = math.min(rate, level + (now - (tonumber(bucket[2]) or now)) * rate / 60000)
if level < wanted then return {2, math.ceil((wanted - level) * 60000 / rate)} end
redis.call('HSET', KEYS[1], 'level', tostring(level - wanted), 'at', now)
redis.call('PEXPIRE', KEYS[1], 120000)
for i = 4, #ARGV do redis.call('ZADD', KEYS[2], now + lease, ARGV[i]) end
if slots > 0 then redis.call('PEXPIRE', KEYS[2], lease) end
return {0, 0}
"""
_RENEW = """
local time = redis.call('TIME')
local until_ = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', until_, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""
_LEASE_MILLISECONDS = 90_000


class Limits:
    """Slots are leases: those of a gateway that dies are free again after ninety seconds."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take = redis.register_script(_TAKE)
        self._renew = redis.register_script(_RENEW)

    async def take(self, who: Identity, slots: Sequence[str] = ()) -> None:
        """Count ``len(slots)`` runs (one, if there are none) and hold the slots. Raises ``ApiError`` 429."""
        args: list[str | int] = [who.runs_per_minute, who.concurrent_runs, _LEASE_MILLISECONDS, *slots]
        refused, wait = await self._take(keys=[_bucket(who.owner), _slots(who.owner)], args=args)
        if refused == 1:
            raise too_many(
                f"{who.concurrent_runs} runs at once is this key's limit, and {len(slots)} more were asked for; "
                "wait for one to end or cancel it",
                1,
            )
        if refused == 2:
            raise too_many(
                f"{who.runs_per_minute} runs a minute is this key's limit; send fewer, or wait",
                max(1, math.ceil(wait / 1000)),
            )

    async def renew(self, owner: str, slots: Sequence[str]) -> None:
        """Keep holding slots that are still held; to be called well within ninety seconds."""
        await self._renew(keys=[_slots(owner)], args=[_LEASE_MILLISECONDS, *slots])

    async def release(self, owner: str, slots: Sequence[str]) -> None:
        await self._redis.zrem(_slots(owner), *slots)


def _bucket(owner: str) -> str:
    # The braces keep an owner's two keys on one node of a Redis cluster, which scripts require.
    return f"tandem:limit:{{{owner}}}:rate"


def _slots(owner: str) -> str:
    return f"tandem:limit:{{{owner}}}:runs"
