"""The Celery task that runs programs: one event loop and one Redis client for the life of a worker process."""

import asyncio
import time
from functools import cache
from typing import Any

from celery import shared_task
from redis import Redis

from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.jobs import KEEP_SECONDS, TASK, Job


@shared_task(name=TASK, bind=True)  # type: ignore[untyped-decorator]
def run(self: Any, job: dict[str, Any]) -> None:
    """Run a ``Job`` in the sandbox and push its ``Execution`` to the job's Redis list."""
    wanted = Job.model_validate(job)
    if time.time() > wanted.expires:
        return  # its caller has given up; running it would only delay the others
    execution = _loop().run_until_complete(_sandbox().run(wanted.program, wanted.limits))
    redis = _redis(self.app.conf.broker_url)
    with redis.pipeline(transaction=True) as pipe:
        pipe.rpush(wanted.result_key, execution.model_dump_json())
        pipe.expire(wanted.result_key, KEEP_SECONDS)
        pipe.execute()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    # Never a new loop per task: what belongs to the first one would be closed under the second.
    return asyncio.new_event_loop()


@cache
def _sandbox() -> BubblewrapSandbox:
    return BubblewrapSandbox()


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url)
