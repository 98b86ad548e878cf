"""The messages an answer is written on: streamed where Slack allows it, rewritten as a whole elsewhere."""

from collections.abc import Sequence
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import Block, MarkdownBlock, PlanBlock, TaskCardBlock
from slack_sdk.models.messages.chunk import Chunk, MarkdownTextChunk, TaskUpdateChunk

from web.slack.place import Place
from web.slack.trace import Task
from web.slack.web_api import APPEND, NETWORK_ERRORS, UPDATE, error_of

Metadata = dict[str, Any]
_PLACEHOLDER = "Thinking…"
_PLAN_TITLE = "How this was answered"
_FALLBACK_TEXT = 3000


class PageRefused(Exception):
    """Slack did not take what was to be shown; the message is its name for why. ``passing`` is a failure on the way
    there, after which the same may be sent again."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


class Page(Protocol):
    """One message. ``ts`` is its time and name once it is posted."""

    ts: str | None

    @property
    def paced(self) -> str | None:
        """The method that the next text goes out through, if whoever writes must reserve a turn for it first."""
        ...

    @property
    def paced_end(self) -> str | None:
        """The same for the last text."""
        ...

    async def write(self, text: str, tasks: Sequence[Task]) -> None:
        """Add text and show tasks that are new or have changed. Raises ``PageRefused``."""
        ...

    async def close(self, text: str, tasks: Sequence[Task], blocks: Sequence[Block], metadata: Metadata | None) -> None:
        """Add the last text, and blocks below it. Raises ``PageRefused``."""
        ...


class StreamedPage:
    """A message that grows: chat.startStream, appendStream, stopStream."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.ts: str | None = None

    @property
    def paced(self) -> str | None:
        return APPEND if self.ts else None

    @property
    def paced_end(self) -> str | None:
        return None

    async def write(self, text: str, tasks: Sequence[Task]) -> None:
        try:
            if self.ts is None:
                await self._start(text, tasks)
            else:
                await self._place.client.chat_appendStream(
                    channel=self._place.channel, ts=self.ts, chunks=_chunks(text, tasks)
                )
        except SlackApiError as error:
            raise PageRefused(error_of(error)) from error
        except NETWORK_ERRORS as error:
            raise PageRefused(type(error).__name__, passing=True) from error

    async def close(self, text: str, tasks: Sequence[Task], blocks: Sequence[Block], metadata: Metadata | None) -> None:
        try:
            if self.ts is None:
                await self._start(text, tasks)
                text, tasks = "", ()
            assert self.ts is not None
            await self._place.client.chat_stopStream(
                channel=self._place.channel,
                ts=self.ts,
                chunks=_chunks(text, tasks) or None,
                blocks=list(blocks) or None,
                metadata=metadata,
            )
        except SlackApiError as error:
            raise PageRefused(error_of(error)) from error
        except NETWORK_ERRORS as error:
            raise PageRefused(type(error).__name__, passing=True) from error

    async def _start(self, text: str, tasks: Sequence[Task]) -> None:
        place = self._place
        answer = await place.client.chat_startStream(
            channel=place.channel,
            thread_ts=place.thread,
            recipient_team_id=place.workspace.team,
            recipient_user_id=place.user,
            task_display_mode="plan",
            chunks=_chunks(text, tasks) or None,
        )
        self.ts = str(answer["ts"])


class RewrittenPage:
    """A message that is replaced by its longer self: chat.postMessage, then chat.update."""

    def __init__(self, place: Place, ts: str | None = None, text: str = "", tasks: Sequence[Task] = ()) -> None:
        self._place = place
        self._text = text
        self._tasks = {task.id: task for task in tasks}
        self._plan_taken = True
        self.ts = ts

    @property
    def paced(self) -> str | None:
        return UPDATE if self.ts else None

    @property
    def paced_end(self) -> str | None:
        return self.paced

    async def write(self, text: str, tasks: Sequence[Task]) -> None:
        self._add(text, tasks)
        await self._show((), None)

    async def close(self, text: str, tasks: Sequence[Task], blocks: Sequence[Block], metadata: Metadata | None) -> None:
        self._add(text, tasks)
        await self._show(blocks, metadata)

    def _add(self, text: str, tasks: Sequence[Task]) -> None:
        self._text += text
        self._tasks.update((task.id, task) for task in tasks)

    async def _show(self, blocks: Sequence[Block], metadata: Metadata | None) -> None:
        try:
            try:
                await self._send(blocks, metadata)
            except SlackApiError as error:
                if error_of(error) not in ("invalid_blocks", "invalid_blocks_format") or not self._plan_taken:
                    raise
                # A workspace that does not know plans yet still gets its answer.
                self._plan_taken = False
                await self._send(blocks, metadata)
        except SlackApiError as error:
            raise PageRefused(error_of(error)) from error
        except NETWORK_ERRORS as error:
            raise PageRefused(type(error).__name__, passing=True) from error

    async def _send(self, blocks: Sequence[Block], metadata: Metadata | None) -> None:
        body: list[Block] = []
        if self._tasks and self._plan_taken:
            body.append(PlanBlock(title=_PLAN_TITLE, tasks=[_card(task) for task in self._tasks.values()]))
        body.append(MarkdownBlock(text=self._text.strip() or _PLACEHOLDER))
        text = self._text.strip()[:_FALLBACK_TEXT] or _PLACEHOLDER
        everything = [*body, *blocks]
        if self.ts is None:
            self.ts = await self._place.post(text, blocks=everything, metadata=metadata)
        else:
            await self._place.client.chat_update(
                channel=self._place.channel, ts=self.ts, text=text, blocks=everything, metadata=metadata
            )


async def stop_stream(place: Place, ts: str) -> None:
    """End a stream that cannot go on, so that its message can be rewritten; it may have ended already."""
    try:
        await place.client.chat_stopStream(channel=place.channel, ts=ts)
    except (SlackApiError, *NETWORK_ERRORS):
        return


def _chunks(text: str, tasks: Sequence[Task]) -> list[dict[str, Any] | Chunk]:
    chunks: list[dict[str, Any] | Chunk] = [
        TaskUpdateChunk(
            id=task.id,
            title=task.title,
            status=task.status,
            details=task.details or None,
            output=task.output or None,
        )
        for task in tasks
    ]
    if text:
        chunks.append(MarkdownTextChunk(text=text))
    return chunks


def _card(task: Task) -> TaskCardBlock:
    return TaskCardBlock(
        task_id=task.id,
        title=task.title,
        status=task.status,
        details=_rich(task.details),
        output=_rich(task.output),
    )


def _rich(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}
