"""The sandbox as the gateway sees it: a Celery worker runs the program, its result comes back through Redis."""

import asyncio
import math
import time
import uuid
from contextlib import suppress
from typing import cast

from celery import Celery
from kombu.exceptions import OperationalError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tools.sandbox.jobs import KEEP_SECONDS, QUEUE, TASK, Job
from tools.sandbox.protocol import Execution, Limits

_QUEUE_PATIENCE_SECONDS = 60.0
_TURN_SECONDS = 2
_MARK_SECONDS = 2.0
_ANSWER_SECONDS = 1.0

START_ONE = f"start one with `tandem serve` or `celery -A workers.celery_app worker --queues {QUEUE}`"


class CelerySandbox:
    """Implements ``Sandbox``. A job that waits longer than a minute beyond its own limit for a free worker is given up
    and not run any more. When cancelled, a waiting program is not run any more, and a running one is soon killed."""

    def __init__(self, app: Celery, redis: Redis, patience: float = _QUEUE_PATIENCE_SECONDS) -> None:
        self._app = app
        self._redis = redis
        self._patience = patience
        self._marks: set[asyncio.Task[None]] = set()
        self._asking: asyncio.Task[bool] | None = None

    async def served(self) -> bool:
        """Whether a worker takes programs, as the workers themselves say. Takes a second, for their answers; who asks
        meanwhile gets the same one."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self._ask_workers))
        return await asyncio.shield(self._asking)

    async def run(self, program: str, limits: Limits = Limits()) -> Execution:
        wait = limits.wall_seconds + self._patience
        job = Job(id=uuid.uuid4().hex, program=program, limits=limits, expires=time.time() + wait)
        result: bytes | None = None
        try:
            await asyncio.to_thread(self._send, job)
            result = await self._result(job)
        finally:
            if result is None:
                # Shielded: a run that is cancelled twice must not leave its program running.
                await asyncio.shield(self._marking(job))
        if result is None:
            return Execution(
                outcome="refused", stderr=f"no sandbox worker took the program within {wait:.0f} s; {START_ONE}"
            )
        return Execution.model_validate_json(result)

    async def _result(self, job: Job) -> bytes | None:
        # Asked in turns shorter than the client's socket timeout, which would end one long wait with an error.
        while time.time() < job.expires:
            answer = cast(tuple[bytes, bytes] | None, await self._redis.blpop([job.result_key], timeout=_TURN_SECONDS))
            if answer is not None:
                return answer[1]
        return None

    def _marking(self, job: Job) -> asyncio.Task[None]:
        task = asyncio.create_task(self._mark_unwanted(job))
        self._marks.add(task)
        task.add_done_callback(self._marks.discard)
        return task

    async def _mark_unwanted(self, job: Job) -> None:
        """Tell the worker that has the job, or will get it, that nobody waits any more."""
        # A worker that took it at the last moment may run it to its own limit.
        longest = job.expires - time.time() + job.limits.wall_seconds + KEEP_SECONDS
        # Without Redis the job ends by its own limits.
        with suppress(RedisError, TimeoutError):
            async with asyncio.timeout(_MARK_SECONDS):
                await self._redis.set(job.unwanted_key, 1, ex=math.ceil(longest))

    def _ask_workers(self) -> bool:
        try:
            # Not by Celery's inspection, which keeps one answer of all workers that go by one name.
            replies = self._app.control.broadcast("active_queues", reply=True, timeout=_ANSWER_SECONDS) or []
        except (OperationalError, RedisError):
            return False  # without Redis there is no queue to serve
        found = [queues for reply in replies for queues in reply.values() if isinstance(queues, list)]
        return any(queue["name"] == QUEUE for queues in found for queue in queues)

    def _send(self, job: Job) -> None:
        self._app.send_task(TASK, args=[job.model_dump(mode="json")], queue=QUEUE, expires=job.expires - time.time())
