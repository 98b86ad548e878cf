"""What the bot has taken in, in Redis for all gateways: each question once, and none lost with a gateway."""

from collections.abc import Sequence
from typing import cast

from redis.asyncio import Redis

from web.slack.question import Question, Work

_SEEN_SECONDS = 86_400
_WAITING_SECONDS = 86_400
_LEASE_MILLISECONDS = 30_000
# The braces keep all keys on one node of a Redis cluster, which scripts require.
_OPEN = "tandem:{slack}:open"
_LEASES = "tandem:{slack}:leases"

# KEYS: the two marks, open, leases. ARGV: seconds to remember, lease in ms, key, work. Returns 1 if it is new.
_TAKE = """
local known = redis.call('EXISTS', KEYS[1]) + redis.call('EXISTS', KEYS[2])
redis.call('SET', KEYS[1], 1, 'EX', ARGV[1])
redis.call('SET', KEYS[2], 1, 'EX', ARGV[1])
if known > 0 then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[4], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[3])
return 1
"""
# KEYS: leases, open. ARGV: lease in ms, most at once. Returns the works whose lease had run out, now leased here.
_ADOPT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local works = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  local work = redis.call('HGET', KEYS[2], key)
  if work then
    redis.call('ZADD', KEYS[1], now + ARGV[1], key)
    works[#works + 1] = work
  else
    redis.call('ZREM', KEYS[1], key)
  end
end
return works
"""
# KEYS: leases. ARGV: lease in ms (0 gives them back), then the keys that are still held.
_RENEW = """
local time = redis.call('TIME')
local until_ = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', until_, ARGV[i]) end
return 1
"""


class Inbox:
    """Questions are leased: those of a gateway that dies are another's after thirty seconds."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take = redis.register_script(_TAKE)
        self._adopt = redis.register_script(_ADOPT)
        self._renew = redis.register_script(_RENEW)

    async def take(self, event: str, question: Question) -> Work | None:
        """Take a question in, with its lease. None if this event or this question was taken in before."""
        work = Work(question=question)
        keys = [_seen("event", event), _seen("question", question.key), _OPEN, _LEASES]
        args: list[str | int] = [_SEEN_SECONDS, _LEASE_MILLISECONDS, question.key, work.model_dump_json()]
        return work if await self._take(keys=keys, args=args) else None

    async def first(self, what: str) -> bool:
        """Whether ``what`` is seen for the first time in a day."""
        return bool(await self._redis.set(_seen("event", what), 1, nx=True, ex=_SEEN_SECONDS))

    async def save(self, work: Work) -> None:
        """Keep what has become of it so far."""
        await self._redis.hset(_OPEN, work.question.key, work.model_dump_json())

    async def done(self, work: Work) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(_OPEN, work.question.key)
            pipe.zrem(_LEASES, work.question.key)
            await pipe.execute()

    async def renew(self, keys: Sequence[str]) -> None:
        """Keep holding them; to be called well within thirty seconds."""
        await self._renew(keys=[_LEASES], args=[_LEASE_MILLISECONDS, *keys])

    async def give_back(self, keys: Sequence[str]) -> None:
        """Let the next gateway have them at once."""
        await self._renew(keys=[_LEASES], args=[0, *keys])

    async def adopt(self, most: int) -> list[Work]:
        """Questions that nobody holds any more, at most that many, now held here."""
        found = await self._adopt(keys=[_LEASES, _OPEN], args=[_LEASE_MILLISECONDS, most])
        works = [Work.model_validate_json(item) for item in found]
        return [work.model_copy(update={"attempts": work.attempts + 1}) for work in works]

    async def await_reply(self, question: Question) -> None:
        """A clarifying question was asked in this thread: its asker's next message there needs no mention."""
        await self._redis.set(_waiting(question), question.user, ex=_WAITING_SECONDS)

    async def is_reply(self, question: Question) -> bool:
        """Whether this is the message that ``await_reply`` announced; true once."""
        user = cast(bytes | None, await self._redis.get(_waiting(question)))
        if user is None or user.decode() != question.user:
            return False
        return bool(await self._redis.delete(_waiting(question)))


def _seen(kind: str, name: str) -> str:
    return f"tandem:{{slack}}:seen:{kind}:{name}"


def _waiting(question: Question) -> str:
    return f"tandem:{{slack}}:waiting:{question.thread_id}"
