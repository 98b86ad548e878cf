"""One choice of a streamed answer."""

from agents.events import AnswerRecalled, ContentDelta, Event, Queued, ReasoningDelta, Routed, RunFinished, ToolCalls
from orchestrator.runs import RunRequest
from web.errors import failed_run
from web.event_stream import Wire
from web.openai_api.chunks import ChoiceChunks, error_line, queued


class Choice:
    """Turns the events of one run into chunks on a wire that other choices may share."""

    def __init__(
        self, chunks: ChoiceChunks, wire: Wire, headers: dict[str, str], may_see_reasoning: bool, names_route: bool
    ) -> None:
        self._chunks = chunks
        self._wire = wire
        self._headers = headers
        self._may_see_reasoning = may_see_reasoning
        self._names_route = names_route
        self._opened = False
        self.has_content = False

    @property
    def begun(self) -> bool:
        """Whether the status line is out, after which an error can only be a line of the stream."""
        return self._wire.begun

    async def show(self, event: Event) -> None:
        """Write what the caller is to see of an event, if anything."""
        # The most frequent first: this is done for every token.
        if isinstance(event, ContentDelta):
            if not self._opened:
                await self._open()
            self.has_content = True
            await self._wire.write(self._chunks.content(event.text))
        elif isinstance(event, ReasoningDelta):
            if self._may_see_reasoning:
                await self._open()
                await self._wire.write(self._chunks.reasoning(event.text))
        elif isinstance(event, Routed):
            await self._open(event.route)
        elif isinstance(event, AnswerRecalled):
            # Comes before anything is sent, so that the headers can say it.
            self._headers = {**self._headers, "x-tandem-cache": "hit"}
        elif isinstance(event, Queued):
            await self._open()
            await self._wire.write(queued(event.position, event.model))
        elif isinstance(event, ToolCalls):
            await self._open()
            await self._wire.write(self._chunks.tool_calls(event.calls))

    async def end(self, run: str, request: RunRequest, last: RunFinished) -> None:
        """Write what is left and the last chunk; for a failed run, also the error."""
        await self._open(last.route)
        if last.text and not self.has_content:
            await self._wire.write(self._chunks.content(last.text))
        if last.status == "error":
            await self._wire.write(error_line(failed_run(run, last).body()))
        else:
            await self._wire.write(self._chunks.last(run, request, last))

    async def _open(self, route: str | None = None) -> None:
        if self._opened:
            return
        self._opened = True
        named = {"x-tandem-route": route} if route is not None and self._names_route else {}
        await self._wire.begin({**self._headers, **named})
        await self._wire.write(self._chunks.role())
