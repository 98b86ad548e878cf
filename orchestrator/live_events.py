"""Events of a run for readers in the process that writes it: what is in Redis already, without asking Redis for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from itertools import islice

from agents.events import Event

_KEPT = 1000


class LiveEvents:
    """A window over a run's newest (id, event) pairs. A reader who falls out of it goes on in Redis."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._window: deque[tuple[str, Event]] = deque(maxlen=kept)
        self._count = 0
        self._closed = False
        self._changed = asyncio.Event()

    def add(self, items: Iterable[tuple[str, Event]]) -> None:
        for item in items:
            self._window.append(item)
            self._count += 1
        self._wake()

    def close(self) -> None:
        """Nothing more comes; readers end when they have read what is there."""
        self._closed = True
        self._wake()

    async def read(self) -> AsyncIterator[tuple[str, Event]]:
        """Yield from the run's first event on, waiting for new ones. Ends when the window has passed the reader, and
        when it is closed and read."""
        position = 0
        while position >= self._count - len(self._window):
            if position == self._count:
                if self._closed:
                    return
                await self._changed.wait()
                continue
            for item in list(islice(self._window, position - self._count + len(self._window), None)):
                position += 1
                yield item

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
