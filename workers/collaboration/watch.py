"""Looks after an answer on its reader's side: whether a worker writes it, where in the line it waits for one, and
whether it has to be sent again."""

import time

from redis.asyncio import Redis

from workers.collaboration.faults import NoCollaborationWorker
from workers.collaboration.job import LINE, QUEUE, Job, lease_key, record_key
from workers.collaboration.presence import served
from workers.collaboration.protocol import Waiting

_MOST_WORKERS = 5
_FIRST_RESEND_SECONDS = 10.0
_LAST_RESEND_SECONDS = 80.0
# What is begun by then has hardly waited.
_MOMENT_SECONDS = 1.0

# How many of the line up to this answer no worker has begun; 0 once one has. Ids whose readers are gone are left behind
# by gateways that died.
_PLACE = """
local place = 0
for _, job in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local fence = redis.call('HGET', ARGV[2] .. job, 'fence')
  if not fence then
    redis.call('LREM', KEYS[1], 0, job)
  elseif fence == '0' then
    place = place + 1
    if job == ARGV[1] then return place end
  end
end
return 0
"""

START_ONE = (
    f"start one with `tandem serve` or `celery -A workers.celery_app worker --queues {QUEUE} --pool threads "
    "--concurrency 8`"
)


class Watch:
    """Asked whenever nothing came for a moment. ``patience`` in seconds bounds how long no worker at all is there."""

    def __init__(self, redis: Redis, job: Job, patience: float) -> None:
        self._redis = redis
        self._job = job
        self._patience = patience
        self._fence = 0
        self._begun = False
        self._alone: float | None = None
        self._since = self._sent = time.monotonic()
        self._interval = _FIRST_RESEND_SECONDS
        self._place = 0
        self._find_place = redis.register_script(_PLACE)

    async def lacks_worker(self) -> bool:
        """Whether the answer has to be sent once more. Raises ``NoCollaborationWorker``."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.exists(lease_key(self._job.id))
            pipe.hget(record_key(self._job.id), "fence")
            held, fence = await pipe.execute()
        taken = int(fence or 0)
        self._begun = bool(held) or taken > 0
        if held:
            self._alone = None
            return False
        await self._check_served()
        if taken >= _MOST_WORKERS:
            raise NoCollaborationWorker(
                f"{taken} workers were lost while they wrote this answer (job {self._job.id}); their logs say why. "
                "Send the request again, or ask for one model"
            )
        if taken > self._fence:
            # A worker had it and is gone: killed, or it handed the answer back at its end.
            self._fence = taken
            return self._send_again(_FIRST_RESEND_SECONDS)
        if time.monotonic() - self._sent > self._interval:
            # It waits behind others; or a worker that was killed took the message with it before it began.
            return self._send_again(min(_LAST_RESEND_SECONDS, 2 * self._interval))
        return False

    async def waiting(self) -> Waiting | None:
        """News of its wait for a worker that is free: its place, where that has changed. None while no worker is there
        at all and once one has begun."""
        if self._begun or self._alone is not None or time.monotonic() - self._since < _MOMENT_SECONDS:
            return None
        place = int(await self._find_place(keys=[LINE], args=[self._job.id, record_key("")]))
        if place in (0, self._place):
            return None
        self._place = place
        request = self._job.request
        return Waiting(waits_for=f"{request.small}+{request.large}", place=place)

    async def _check_served(self) -> None:
        if await served(self._redis):
            self._alone = None
            return
        now = time.monotonic()
        if self._alone is None:
            self._alone = now
        if now - self._alone > self._patience:
            raise NoCollaborationWorker(
                f"no worker serves the queue {QUEUE!r} since {self._patience:.0f} s; {START_ONE}"
            )

    def _send_again(self, interval: float) -> bool:
        self._sent = time.monotonic()
        self._interval = interval
        return True
