"""The Celery task that writes collaborative answers: one event loop, in a thread of its own, for a process's life.

Serve its queue with threads, of which each only waits for one answer:
``celery -A workers.celery_app worker --queues collaborate --pool threads --concurrency 8``.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from redis.asyncio import Redis

from workers.collaboration.job import QUEUE, TASK, Job
from workers.collaboration.leased_gate import LeasedGate, Tell
from workers.collaboration.local import Heads, LocalCollaboration
from workers.collaboration.presence import be_present
from workers.collaboration.writer import JobWriter
from workers.decode_lease import DecodeLease
from workers.divergence.shelf import HeadShelf
from workers.engines.pool import EnginePool

# Only guards the making of the process's loop: two threads may need it first.
_making = threading.Lock()


@shared_task(name=TASK, bind=True)  # type: ignore[untyped-decorator]
def write(self: Any, job: str) -> None:
    """Write the answer ``job``, or nothing if somebody else does or nobody wants it any more."""
    _process(self.app.conf.broker_url).write(job)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _announce(sender: Any, **_: Any) -> None:
    if QUEUE in sender.app.amqp.queues.consume_from:
        _process(sender.app.conf.broker_url).announce()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _hand_back(**_: Any) -> None:
    for process in _processes(os.getpid()).values():
        process.hand_back()


def _process(redis_url: str) -> "_Process":
    with _making:
        mine = _processes(os.getpid())
        if redis_url not in mine:
            mine[redis_url] = _Process(redis_url)
        return mine[redis_url]


@cache
def _processes(pid: int) -> dict[str, "_Process"]:
    """By Redis url. A process forked off this one has none yet: the loop's thread does not go with it."""
    return {}


class _Process:
    """What all answers of this process share. Everything asynchronous in it lives on its one loop."""

    def __init__(self, redis_url: str) -> None:
        self._loop = asyncio.new_event_loop()
        # With a socket timeout redis-py sends through asyncio.wait_for, which loses cancellations on Python 3.11.
        self._redis = Redis.from_url(redis_url, socket_timeout=None)
        self._engines = EnginePool()
        self._heads = HeadShelf()
        self._lease = DecodeLease(self._redis)
        self._writer = JobWriter(self._redis, self._collaboration)
        self._writing: set[asyncio.Task[None]] = set()
        self._announced: asyncio.Task[None] | None = None
        self._closing = False
        threading.Thread(target=self._loop.run_forever, name="collaboration", daemon=True).start()

    def write(self, job: str) -> None:
        """Wait in the calling thread until the answer is written or handed back."""
        with suppress(CancelledError):  # the process stops; another worker goes on with the answer
            asyncio.run_coroutine_threadsafe(self._write(job), self._loop).result()

    def announce(self) -> None:
        self._loop.call_soon_threadsafe(self._begin_presence)

    def hand_back(self) -> None:
        """Stop every answer, so that other workers go on with them at once."""
        self._loop.call_soon_threadsafe(self._stop)

    async def _write(self, job: str) -> None:
        if self._closing:
            return
        task = asyncio.current_task()
        assert task is not None
        self._writing.add(task)
        try:
            await self._writer.write(job)
        finally:
            self._writing.discard(task)

    @asynccontextmanager
    async def _collaboration(self, job: Job, tell: Tell) -> AsyncIterator[LocalCollaboration]:
        async with self._engines.borrow(job.engines) as engines:
            gate = LeasedGate(self._lease, {address.name: address for address in job.engines}, tell)
            yield LocalCollaboration(engines, gate, await asyncio.to_thread(self._heads_for, job))

    def _heads_for(self, job: Job) -> Heads:
        small, large = job.engines
        head = self._heads.find(small.sha256, large.sha256, job.head)
        return {} if head is None else {(small.name, large.name): head}

    def _begin_presence(self) -> None:
        self._announced = self._loop.create_task(be_present(self._redis))

    def _stop(self) -> None:
        self._closing = True
        for task in (*self._writing, *filter(None, [self._announced])):
            task.cancel()
