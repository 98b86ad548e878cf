"""Looks after an answer on its reader's side: whether a worker writes it, whether it has to be sent again."""

import time

from redis.asyncio import Redis

from workers.collaboration.faults import NoCollaborationWorker
from workers.collaboration.job import QUEUE, Job, lease_key, record_key
from workers.collaboration.presence import served

_MOST_WORKERS = 5
_FIRST_RESEND_SECONDS = 10.0
_LAST_RESEND_SECONDS = 80.0


class Watch:
    """Asked whenever nothing came for a moment. ``patience`` in seconds bounds how long no worker at all is there."""

    def __init__(self, redis: Redis, job: Job, patience: float) -> None:
        self._redis = redis
        self._job = job
        self._patience = patience
        self._fence = 0
        self._alone: float | None = None
        self._sent = time.monotonic()
        self._interval = _FIRST_RESEND_SECONDS

    async def lacks_worker(self) -> bool:
        """Whether the answer has to be sent once more. Raises ``NoCollaborationWorker``."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.exists(lease_key(self._job.id))
            pipe.hget(record_key(self._job.id), "fence")
            held, fence = await pipe.execute()
        if held:
            self._alone = None
            return False
        await self._check_served()
        taken = int(fence or 0)
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

    async def _check_served(self) -> None:
        if await served(self._redis):
            self._alone = None
            return
        now = time.monotonic()
        if self._alone is None:
            self._alone = now
        if now - self._alone > self._patience:
            raise NoCollaborationWorker(
                f"no worker serves the queue {QUEUE!r} since {self._patience:.0f} s; start one with `tandem serve` or "
                f"`celery -A workers.celery_app worker --queues {QUEUE} --pool threads --concurrency 8`"
            )

    def _send_again(self, interval: float) -> bool:
        self._sent = time.monotonic()
        self._interval = interval
        return True
