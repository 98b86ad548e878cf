"""``GET /v1/runs/{id}/events``: the trace as it happens, resumable."""

import asyncio
import re
from collections.abc import AsyncIterator

from agents.events import EVENT, Event, ReasoningDelta, StepFinished, ToolFinished, ToolStarted
from orchestrator.runs import RunRecord, UnknownRun
from web.doors import Doors
from web.errors import invalid, shown
from web.event_stream import EventStream, Wire
from web.identity import Identity
from web.json_line import one_line

_EVENT_ID = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?", re.ASCII)
_LARGEST = 2**64
# A run that has ended has all its events stored: if none comes in this time, there are none after that id.
_ENDED_SECONDS = 2.0


def checked_after(given: str | None) -> str:
    """The event id to go on after; "0" is the beginning. Raises ``ApiError``."""
    if not given:
        return "0"
    match = _EVENT_ID.fullmatch(given)
    if match is None or any(int(part) >= _LARGEST for part in match.groups("0")):
        raise invalid(
            f"Last-Event-ID cannot be {shown(given)}: send the id of the last event received, or none",
            "Last-Event-ID",
        )
    return given


class RunEvents(EventStream):
    """A client that goes leaves the run alone: it can come back with the last id it has seen."""

    def __init__(self, doors: Doors, who: Identity, record: RunRecord, after: str) -> None:
        super().__init__()
        self._doors = doors
        self._who = who
        self._record = record
        self._after = after

    async def feed(self, wire: Wire) -> None:
        events = self._doors.runs.events(self._record.id, self._who.owner, self._after)
        if self._record.status == "running":
            await wire.begin({"x-tandem-run-id": self._record.id})
        else:
            try:
                async with asyncio.timeout(_ENDED_SECONDS):
                    await self._write(wire, *await anext(events))
            except (TimeoutError, StopAsyncIteration, UnknownRun):
                # 204 tells an EventSource not to ask again. A run outlives its events, which expire.
                await wire.begin({}, status=204)
                return
        await self._write_all(wire, events)

    async def _write_all(self, wire: Wire, events: AsyncIterator[tuple[str, Event]]) -> None:
        async for identifier, event in events:
            await self._write(wire, identifier, event)

    async def _write(self, wire: Wire, identifier: str, event: Event) -> None:
        await wire.begin({"x-tandem-run-id": self._record.id})
        visible = event if self._who.may_see_reasoning else without_reasoning(event)
        if visible is not None:
            data = one_line(EVENT.dump_json(visible))
            await wire.write(b"id: %s\nevent: %s\ndata: %s\n\n" % (identifier.encode(), event.type.encode(), data))


def without_reasoning(event: Event) -> Event | None:
    """An event as a caller sees it who may not see raw reasoning; None where nothing is left."""
    if isinstance(event, ReasoningDelta):
        return None
    if isinstance(event, StepFinished):
        return event.model_copy(update={"text": ""})
    if isinstance(event, ToolStarted):
        return event.model_copy(update={"input": ""})
    if isinstance(event, ToolFinished):
        return event.model_copy(update={"output": ""})
    return event
