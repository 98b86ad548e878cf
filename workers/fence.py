"""Work that one process does at a time and any process may take over: a lease with a heartbeat, and a fencing number
that shuts out whoever lost it.

The record of the work is a Redis hash; while it exists the work may be taken. Its field ``fence`` counts the takes, and
the number of a take is who holds the lease: also of two takes of one process only the later one does.
"""

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

_TAKE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('SET', KEYS[2], fence, 'PX', ARGV[1])
return fence
"""
# A lease that has expired, as after a stall, is its holder's again for as long as nobody has taken the work since.
_RENEW = """
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
# One round trip writes a batch and returns its ids; whoever's fence is old (the work was taken over) writes none.
_APPEND = """
local ids = {}
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return ids end
for i = 4, #ARGV do ids[#ids + 1] = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'e', ARGV[i]) end
redis.call('EXPIRE', KEYS[2], ARGV[3])
return ids
"""


class FencedOff(Exception):
    """Control flow: somebody else has taken this work over, or it is not wanted any more; whoever raises it stops."""


class Leases:
    """A process that dies loses each of its leases after ``milliseconds``; while it lives it renews them every ``beat``
    seconds."""

    def __init__(self, redis: Redis, *, milliseconds: int, beat: float) -> None:
        self._milliseconds = milliseconds
        self._beat = beat
        self._take = redis.register_script(_TAKE)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)

    async def take(self, record: str, lease: str) -> int:
        """The fencing number, from 1 on; 0 where somebody holds the lease, -1 where the record is gone."""
        return int(await self._take(keys=[record, lease], args=[self._milliseconds]))

    async def release(self, lease: str, fence: int) -> None:
        """Give the lease of the take ``fence`` back. Whoever keeps it stops that before: it would renew it."""
        await self._release(keys=[lease], args=[fence])

    async def keep(self, record: str, lease: str, fence: int) -> None:
        """Renew the lease again and again. Returns when it is lost: another has it, or the record is gone."""
        while True:
            await asyncio.sleep(self._beat)
            try:
                if not await self._renew(keys=[record, lease], args=[fence, self._milliseconds]):
                    return
            except RedisError:
                continue  # the next beat may get through; if none does, the fence stops what is written afterwards


class FencedStream:
    """The Redis Stream of a piece of work, as the holder of ``fence`` writes it. ``longest`` bounds its entries, which
    expire ``keep_seconds`` after the last one."""

    def __init__(self, redis: Redis, *, record: str, stream: str, fence: int, longest: int, keep_seconds: int) -> None:
        self._script = redis.register_script(_APPEND)
        self._keys = [record, stream]
        self._head = [fence, longest, keep_seconds]

    async def append(self, entries: Sequence[bytes]) -> list[str]:
        """Write all entries, each under the field ``e``, and return their ids. Raises ``FencedOff``."""
        ids = await self._script(keys=self._keys, args=[*self._head, *entries])
        if not ids:
            raise FencedOff
        return [identifier.decode() for identifier in ids]
