"""The questions that this gateway is answering, each in a task, and those it takes over from gateways that are gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from redis.exceptions import RedisError
from structlog.typing import FilteringBoundLogger

from web.slack.inbox import Inbox
from web.slack.question import Question, Work

_RENEW_SECONDS = 8.0
_ATTEMPTS = 3


class Desk:
    """Answers as many questions at once as ``places`` says. ``answer`` answers one."""

    def __init__(
        self, inbox: Inbox, answer: Callable[[Work], Awaitable[None]], places: int, log: FilteringBoundLogger
    ) -> None:
        self._inbox = inbox
        self._answer = answer
        self._places = places
        self._log = log
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Desk"]:
        """Hold the leases while the block runs; then stop, and leave what is unfinished to another gateway."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield self
        finally:
            keys = list(self._tasks)
            tasks = [keeping, *self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if keys:
                await self._inbox.give_back(keys)

    @property
    def full(self) -> bool:
        return len(self._tasks) >= self._places

    async def take(self, event: str, question: Question) -> bool:
        """Answer a question in the background; False if it was taken in before."""
        work = await self._inbox.take(event, question)
        if work is None:
            return False
        self._begin(work)
        return True

    def _begin(self, work: Work) -> None:
        key = work.question.key
        task = asyncio.create_task(self._work(work))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def _work(self, work: Work) -> None:
        try:
            await self._answer(work)
        # A background task has nobody to raise to; the question must not be taken up for ever.
        except Exception as error:  # noqa: BLE001
            self._log.error("slack question not answered", run=work.run, error=repr(error), exc_info=True)
        try:
            await self._inbox.done(work)
        except RedisError as error:
            self._log.warning("slack question not marked as answered", run=work.run, error=repr(error))

    async def _keep(self) -> None:
        while True:
            try:
                await self._inbox.renew(list(self._tasks))
                await self._take_over()
            except RedisError as error:
                self._log.warning("slack questions not kept while Redis is away", error=repr(error))
            await asyncio.sleep(_RENEW_SECONDS)

    async def _take_over(self) -> None:
        for work in await self._inbox.adopt(self._places - len(self._tasks)):
            if work.question.key in self._tasks:
                continue
            if work.attempts > _ATTEMPTS:
                self._log.error("slack question given up", run=work.run, attempts=work.attempts)
                await self._inbox.done(work)
                continue
            await self._inbox.save(work)
            self._begin(work)
