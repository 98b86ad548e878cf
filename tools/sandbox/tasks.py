"""The Celery task that runs programs: one event loop and one Redis client for the life of a worker process."""

import asyncio
import time
from contextlib import suppress
from functools import cache
from typing import Any

from celery import shared_task
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.jobs import KEEP_SECONDS, TASK, Job
from tools.sandbox.protocol import Execution

_LOOK_SECONDS = 0.2


@shared_task(name=TASK, bind=True)  # type: ignore[untyped-decorator]
def run(self: Any, job: dict[str, Any]) -> None:
    """Run a ``Job`` in the sandbox and push its ``Execution`` to the job's Redis list."""
    _loop().run_until_complete(_serve(Job.model_validate(job), _redis(self.app.conf.broker_url)))


async def _serve(job: Job, redis: Redis) -> None:
    if time.time() > job.expires or await _unwanted(job, redis):
        return  # its caller has given up; running it would only delay the others
    execution = await _while_wanted(job, redis)
    if execution is None:
        return
    async with redis.pipeline(transaction=True) as pipe:
        pipe.rpush(job.result_key, execution.model_dump_json())
        pipe.expire(job.result_key, KEEP_SECONDS)
        await pipe.execute()


async def _while_wanted(job: Job, redis: Redis) -> Execution | None:
    """What the program did; None where it was killed because nobody wants that any more."""
    running = asyncio.create_task(_sandbox().run(job.program, job.limits))
    watching = asyncio.create_task(_given_up(job, redis))
    try:
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # The program first: it is killed before its task ends.
        for task in (running, watching):
            task.cancel()
        await asyncio.gather(running, watching, return_exceptions=True)
    return None if running.cancelled() else running.result()


async def _given_up(job: Job, redis: Redis) -> None:
    """Return when nobody wants the job's result any more."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if await _unwanted(job, redis):
            return


async def _unwanted(job: Job, redis: Redis) -> bool:
    # While Redis is away the job counts as wanted; the next look may get through.
    with suppress(RedisError):
        return bool(await redis.exists(job.unwanted_key))
    return False


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
