"""What the gateway asks the worker that learns, by name: the two may be on different machines."""

import asyncio
from typing import Protocol

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

QUEUE = "learn"
LEARN = "learn.run"
SHADOW = "learn.shadow"
CONSOLIDATE = "learn.consolidate"
_EXPIRES_SECONDS = 7 * 86_400.0
_log = structlog.get_logger(__name__)


class Teacher(Protocol):
    """Passes on what there is to learn; the caller goes on at once."""

    def ended(self, run: str, owner: str) -> None:
        """A run has ended, or its owner has said something else about it."""
        ...

    async def aclose(self) -> None: ...


class NoTeacher:
    """Where nothing is learned."""

    def ended(self, run: str, owner: str) -> None:
        return None

    async def aclose(self) -> None:
        return None


class CeleryTeacher:
    """Implements ``Teacher`` over the queue ``learn``. What cannot be sent is lost to the playbook and to nothing else;
    at most ``waiting`` messages wait for Redis."""

    def __init__(self, app: Celery, waiting: int = 1000) -> None:
        self._app = app
        self._waiting = waiting
        self._sending: set[asyncio.Task[None]] = set()

    def ended(self, run: str, owner: str) -> None:
        if len(self._sending) >= self._waiting:
            _log.warning("a run is not learned from: too many messages wait for Redis", run=run)
            return
        task = asyncio.create_task(self._send(run, owner))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def aclose(self) -> None:
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _send(self, run: str, owner: str) -> None:
        try:
            await asyncio.to_thread(send, self._app, LEARN, run, owner)
        except (OperationalError, OSError) as error:
            _log.warning("a run is not learned from: the queue cannot be reached", run=run, error=str(error))


def send(app: Celery, task: str, *arguments: str) -> None:
    """Queue a task of the playbook's. Blocks; raises kombu's ``OperationalError`` where Redis is away."""
    app.send_task(task, args=list(arguments), queue=QUEUE, expires=_EXPIRES_SECONDS, retry=False)
