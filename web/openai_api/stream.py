"""A streamed answer: the events of its runs, as chunks."""

import asyncio
import time
from collections.abc import Sequence

from agents.events import RunFinished
from web.doors import Doors
from web.errors import failed_run
from web.event_stream import EventStream, Wire
from web.flights import Flight
from web.identity import Identity
from web.openai_api.body import ChatCall
from web.openai_api.choice import Choice
from web.openai_api.chunks import DONE, ChoiceChunks, Head

# The route is known within milliseconds unless something is slow; then the headers go out without it.
_ROUTE_SECONDS = 1.0


class ChatStream(EventStream):
    """Each run writes its choice as its events come. Runs that have not ended when the stream closes are cancelled."""

    def __init__(self, doors: Doors, who: Identity, call: ChatCall, flights: Sequence[Flight]) -> None:
        super().__init__()
        self._doors = doors
        self._who = who
        self._call = call
        self._flights = flights
        self._head = Head(flights[0].run, call.request.model, int(time.time()))

    async def feed(self, wire: Wire) -> None:
        headers = {"x-tandem-run-id": ", ".join(flight.run for flight in self._flights)}
        late = asyncio.create_task(_begin_later(wire, headers))
        try:
            ends = await self._feed_choices(wire, headers)
        finally:
            late.cancel()
            await asyncio.gather(late, return_exceptions=True)
        if self._call.include_usage:
            await wire.write(self._head.usage([last.ledger for last in ends]))
        await wire.write(DONE)

    async def closed(self) -> None:
        await asyncio.gather(*(self._doors.flights.abandon(flight) for flight in self._flights))

    async def _feed_choices(self, wire: Wire, headers: dict[str, str]) -> list[RunFinished]:
        alone = len(self._flights) == 1
        choices = [
            Choice(self._chunks(index), wire, headers, self._who.may_see_reasoning, names_route=alone)
            for index in range(len(self._flights))
        ]
        if alone:
            return [await self._feed_choice(choices[0], self._flights[0])]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._feed_choice(choice, flight))
                for choice, flight in zip(choices, self._flights, strict=True)
            ]
        return [task.result() for task in tasks]

    async def _feed_choice(self, choice: Choice, flight: Flight) -> RunFinished:
        async for _, event in self._doors.runs.events(flight.run, self._who.owner):
            if not isinstance(event, RunFinished):
                await choice.show(event)
                if choice.has_content:
                    self._doors.flights.first_token(flight)
                continue
            if event.status == "error" and not choice.begun and len(self._flights) == 1:
                await self._doors.flights.ended(flight, event)
                raise failed_run(flight.run, event)
            await choice.end(flight.run, flight.request, event)
            await self._doors.flights.ended(flight, event)
            return event
        raise RuntimeError(f"the events of run {flight.run} ended before the run did")

    def _chunks(self, index: int) -> ChoiceChunks:
        return ChoiceChunks(self._head, index, self._call.include_usage)


async def _begin_later(wire: Wire, headers: dict[str, str]) -> None:
    await asyncio.sleep(_ROUTE_SECONDS)
    await wire.begin(headers)
