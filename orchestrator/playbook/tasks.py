"""The Celery tasks of the queue ``learn``: one event loop, one set of clients, for the life of a worker process.

Serve it with one thread, which does one thing at a time:
``celery -A workers.celery_app worker --queues learn --pool threads --concurrency 1``.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from contextlib import AsyncExitStack, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from celery import Celery, shared_task
from celery.signals import worker_shutting_down
from kombu.exceptions import OperationalError as QueueAway
from redis.exceptions import RedisError

from orchestrator.playbook.jobs import CONSOLIDATE, LEARN, SHADOW

if TYPE_CHECKING:
    from orchestrator.playbook.workshop import Workshop


class DatabaseAway(Exception):
    """The database did not answer, or was locked for too long."""


# Everything that a task adds is added once, so that it may begin anew when Redis or the database has been away.
_AGAIN: dict[str, Any] = {
    "autoretry_for": (RedisError, QueueAway, DatabaseAway),
    "retry_backoff": 2,
    "retry_backoff_max": 300,
    "max_retries": 10,
}
# Only guards the making of the process's loop: two threads may need it first.
_making = threading.Lock()


@shared_task(name=LEARN, bind=True, **_AGAIN)  # type: ignore[untyped-decorator]
def learn(self: Any, run: str, owner: str) -> None:
    """Add a run's outcome to the playbook."""
    _process(self.app).do(lambda workshop: workshop.learn(run, owner))


@shared_task(name=SHADOW, bind=True, **_AGAIN)  # type: ignore[untyped-decorator]
def shadow(self: Any, run: str, owner: str) -> None:
    """Try candidates on a run's question."""
    _process(self.app).do(lambda workshop: workshop.shadow(run, owner))


@shared_task(name=CONSOLIDATE, bind=True, **_AGAIN)  # type: ignore[untyped-decorator]
def consolidate(self: Any, owner: str, topic: str) -> None:
    """Propose candidates for a topic."""
    _process(self.app).do(lambda workshop: workshop.consolidate(owner, topic))


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    for process in _processes(os.getpid()).values():
        process.stop()


def _process(app: Celery) -> "_Process":
    with _making:
        mine = _processes(os.getpid())
        url = str(app.conf.broker_url)
        if url not in mine:
            mine[url] = _Process(app)
        return mine[url]


@cache
def _processes(pid: int) -> dict[str, "_Process"]:
    """By Redis url. A process forked off this one has none yet: the loop's thread does not go with it."""
    return {}


class _Process:
    """Everything asynchronous in it lives on its one loop, in a thread of its own."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._open = AsyncExitStack()
        self._workshop: Workshop | None = None
        self._opening = asyncio.Lock()
        self._doing: set[asyncio.Task[None]] = set()
        threading.Thread(target=self._loop.run_forever, name="learning", daemon=True).start()

    def do(self, work: "Callable[[Workshop], Awaitable[object]]") -> None:
        """Wait in the calling thread until the work is done, or was stopped with the process."""
        with suppress(CancelledError):
            asyncio.run_coroutine_threadsafe(self._do(work), self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._cancel)

    async def _do(self, work: "Callable[[Workshop], Awaitable[object]]") -> None:
        # Not before the first task, like the workshop itself.
        from sqlalchemy.exc import OperationalError

        task = asyncio.current_task()
        assert task is not None
        self._doing.add(task)
        try:
            await work(await self._opened())
        except OperationalError as error:
            raise DatabaseAway(str(error.orig)) from error
        finally:
            self._doing.discard(task)

    async def _opened(self) -> "Workshop":
        async with self._opening:
            if self._workshop is None:
                # Not before the first task: every worker reads this module, and most have nothing to learn.
                from orchestrator.playbook.workshop import open_workshop
                from orchestrator.settings_file import load_settings

                settings = await asyncio.to_thread(load_settings)
                self._workshop = await self._open.enter_async_context(open_workshop(settings, self._app))
            return self._workshop

    def _cancel(self) -> None:
        for task in self._doing:
            task.cancel()
