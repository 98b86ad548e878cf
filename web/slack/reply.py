"""An answer as it is written into a thread: text and trace gather here and go out as often as Slack allows."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from slack_sdk.models.blocks import Block
from structlog.typing import FilteringBoundLogger

from web.slack.pages import Metadata, Page, PageRefused, RewrittenPage, StreamedPage, stop_stream
from web.slack.place import Place
from web.slack.trace import Task
from web.slack.wording import cut, fence_open, harmless, settled

# Slack takes 12,000 characters in one piece and in one block; mentions that are broken up grow a little.
_PAGE_CHARACTERS = 11_000
_INTERVAL_SECONDS = 0.4
_FENCE = "```\n"
# At the end of an answer a connection that breaks is tried again, after so many seconds.
_PAUSES = (1.0, 3.0, 9.0)

Posted = Callable[[list[str]], Awaitable[None]]


class Reply:
    """One answer, on as many messages as its length needs.

    ``known`` are the times of messages that an earlier gateway has posted for it: they are rewritten before new ones
    are posted. ``posted`` is told the times of all its messages whenever there is one more. ``metadata`` is attached to
    every message.
    """

    def __init__(self, place: Place, log: FilteringBoundLogger, posted: Posted, known: Sequence[str] = ()) -> None:
        self.metadata: Metadata | None = None
        self._place = place
        self._log = log
        self._posted = posted
        self._known = list(known)
        self._streams = not known
        self._buffer = ""
        self._tasks: dict[str, Task] = {}
        self._changed: dict[str, Task] = {}
        self._page: Page | None = None
        self._on_page = ""
        self._times: list[str] = []
        self._turn = 0.0
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Reply"]:
        """Write in the background while the block runs; ``finish`` before its end."""
        self._writing = asyncio.create_task(self._write_on())
        try:
            yield self
        finally:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    @property
    def has_text(self) -> bool:
        return bool(self._buffer.strip() or self._on_page.strip() or len(self._times) > 1)

    def begin(self) -> None:
        """Show at once that an answer is coming."""
        self._news.set()

    def add(self, text: str) -> None:
        self._buffer += text
        self._news.set()

    def show(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self._tasks[task.id] = self._changed[task.id] = task
            self._news.set()

    async def finish(self, blocks: Sequence[Block]) -> None:
        """Write what is left, and ``blocks`` below it. Raises ``PageRefused`` where Slack takes it in no form."""
        self._closing.set()
        self._news.set()
        if self._writing is not None:
            await self._writing
        for pause in (*_PAUSES, None):
            try:
                await self._wait_for_turn(self._page.paced_end if self._page is not None else None)
                await self._flush(blocks)
            except PageRefused as refusal:
                if pause is None or not refusal.passing:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    async def _write_on(self) -> None:
        while True:
            await self._news.wait()
            # A turn that finish cuts short is not lost: finish waits for the rest of it, where it needs one.
            method = self._page.paced if self._page is not None else None
            if self._closing.is_set() or not await self._wait_for_turn(method, until_closing=True):
                return
            self._news.clear()
            try:
                await self._flush()
            except PageRefused as refusal:
                # The page keeps what it could not show, and shows it with what comes next.
                self._log.warning("slack refused a part of an answer", reason=str(refusal))
            await self._closing_within(_INTERVAL_SECONDS)

    async def _wait_for_turn(self, method: str | None, *, until_closing: bool = False) -> bool:
        """Wait until the method may be called; False if the reply is to be closed instead."""
        if method is None:
            return True
        if self._turn == 0.0:
            self._turn = time.monotonic() + self._place.client.gate.reserve(method)
        wait = self._turn - time.monotonic()
        if until_closing:
            if await self._closing_within(wait):
                return False
        else:
            await asyncio.sleep(wait)
        self._turn = 0.0
        return True

    async def _closing_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._closing.wait()
        except TimeoutError:
            return False
        return True

    async def _flush(self, last: Sequence[Block] | None = None) -> None:
        """Write what has gathered; ``last`` are the blocks of the answer's end."""
        while True:
            ready = settled(self._buffer) if last is None else len(self._buffer)
            room = max(0, _PAGE_CHARACTERS - len(self._on_page))
            if ready <= room:
                break
            await self._turn_over(cut(self._buffer[:ready], room))
        text, self._buffer = self._buffer[:ready], self._buffer[ready:]
        await self._send(text, last)

    async def _turn_over(self, end: int) -> None:
        """Close a full page after the buffer's first ``end`` characters."""
        text, self._buffer = self._buffer[:end], self._buffer[end:]
        if fence_open(self._on_page + text):
            text = text.rstrip("\n") + "\n" + _FENCE
            self._buffer = _FENCE + self._buffer
        await self._send(text, ())
        self._page, self._on_page, self._turn = None, "", 0.0

    async def _send(self, text: str, blocks: Sequence[Block] | None) -> None:
        """Write to the current page, or close it with ``blocks``."""
        text = harmless(text)
        changed, self._changed = list(self._changed.values()), {}
        page = await self._current()
        self._on_page += text
        try:
            await self._write(page, text, changed, blocks)
        except PageRefused as refusal:
            if not isinstance(page, StreamedPage):
                raise
            self._log.info("slack does not stream this answer, it is rewritten", reason=str(refusal))
            await self._write(await self._rewritten(page), "", (), blocks)
        finally:
            await self._note()

    async def _write(self, page: Page, text: str, tasks: Sequence[Task], blocks: Sequence[Block] | None) -> None:
        if blocks is None:
            await page.write(text, tasks)
        else:
            await page.close(text, tasks, blocks, self.metadata)

    async def _current(self) -> Page:
        if self._page is None:
            if self._known:
                ts = self._known.pop(0)
                await stop_stream(self._place, ts)
                self._page = RewrittenPage(self._place, ts)
            else:
                self._page = StreamedPage(self._place) if self._streams else RewrittenPage(self._place)
        return self._page

    async def _rewritten(self, page: StreamedPage) -> Page:
        """The same message with all that was to be on it, no longer as a stream."""
        self._streams = False
        if page.ts is not None:
            await stop_stream(self._place, page.ts)
        tasks = () if self._times and self._times[0] != page.ts else tuple(self._tasks.values())
        self._page = RewrittenPage(self._place, page.ts, self._on_page, tasks)
        self._turn = 0.0
        await self._wait_for_turn(self._page.paced)
        return self._page

    async def _note(self) -> None:
        ts = self._page.ts if self._page is not None else None
        if ts is not None and ts not in self._times:
            self._times.append(ts)
            await self._posted([*self._times, *self._known])
