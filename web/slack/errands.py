"""Short work in the background that Slack does not wait for, such as a note after a button was pressed."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from structlog.typing import FilteringBoundLogger


class Errands:
    """As many at once as ``places`` says; those that are under way at the end are cancelled."""

    def __init__(self, places: int, log: FilteringBoundLogger) -> None:
        self._places = places
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Errands"]:
        try:
            yield self
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def full(self) -> bool:
        return len(self._tasks) >= self._places

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Callers look at ``full`` first."""
        task = asyncio.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - nobody to raise to: Slack was told that its request arrived
            self._log.error("slack request not carried out", error=repr(error), exc_info=True)
