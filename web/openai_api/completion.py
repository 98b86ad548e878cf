"""A whole answer in one response."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from agents.events import ContentDelta, ReasoningDelta, RunFinished, ToolCalls
from web.disconnect import unless_gone
from web.doors import Doors
from web.errors import failed_run
from web.flights import Flight
from web.identity import Identity
from web.openai_api.tool_calls import with_ids
from web.openai_api.usage import finish_reason, tandem_object, usage_of


@dataclass(slots=True)
class _Outcome:
    flight: Flight
    last: RunFinished
    reasoning: list[str] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)


async def complete(doors: Doors, request: Request, who: Identity, flights: Sequence[Flight]) -> Response:
    """Wait for every run's end. If the client goes first, the runs are cancelled (raises ``ClientDisconnect``).

    Raises ``ApiError`` where a run failed.
    """
    created = int(time.time())
    try:
        outcomes = await unless_gone(request.receive, _all(doors, who, flights))
    except BaseException:  # gone, failed or shut down: no run goes on that nobody waits for
        await asyncio.shield(asyncio.gather(*(doors.flights.abandon(flight) for flight in flights)))
        raise
    for outcome in outcomes:
        if outcome.last.status == "error":
            raise failed_run(outcome.flight.run, outcome.last)
    return _response(created, outcomes)


async def _all(doors: Doors, who: Identity, flights: Sequence[Flight]) -> list[_Outcome]:
    if len(flights) == 1:
        return [await _outcome(doors, who, flights[0])]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_outcome(doors, who, flight)) for flight in flights]
    return [task.result() for task in tasks]


async def _outcome(doors: Doors, who: Identity, flight: Flight) -> _Outcome:
    reasoning: list[str] = []
    calls: list[dict[str, Any]] = []
    async for _, event in doors.runs.events(flight.run, who.owner):
        if isinstance(event, ContentDelta):
            doors.flights.first_token(flight)
        elif isinstance(event, ReasoningDelta):
            if who.may_see_reasoning:
                reasoning.append(event.text)
        elif isinstance(event, ToolCalls):
            calls.extend(event.calls)
        elif isinstance(event, RunFinished):
            await doors.flights.ended(flight, event)
            return _Outcome(flight, event, reasoning, calls)
    raise RuntimeError(f"the events of run {flight.run} ended before the run did")


def _response(created: int, outcomes: Sequence[_Outcome]) -> Response:
    first = outcomes[0]
    objects = [tandem_object(o.flight.run, o.flight.request, o.last) for o in outcomes]
    body = {
        "id": f"chatcmpl-{first.flight.run}",
        "object": "chat.completion",
        "created": created,
        "model": first.flight.request.model,
        "choices": [_choice(index, outcome) for index, outcome in enumerate(outcomes)],
        "usage": usage_of([outcome.last.ledger for outcome in outcomes]),
        "tandem": objects[0] if len(objects) == 1 else {**objects[0], "runs": objects},
    }
    headers = {"x-tandem-run-id": ", ".join(outcome.flight.run for outcome in outcomes)}
    if first.last.route:
        headers["x-tandem-route"] = ", ".join(outcome.last.route or "-" for outcome in outcomes)
    if first.last.recalled:
        headers["x-tandem-cache"] = "hit"
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")


def _choice(index: int, outcome: _Outcome) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": outcome.last.text, "refusal": None}
    if outcome.reasoning:
        message["reasoning_content"] = "".join(outcome.reasoning)
    if outcome.tool_calls:
        message["content"] = outcome.last.text or None
        message["tool_calls"] = with_ids(outcome.tool_calls)
    return {"index": index, "message": message, "logprobs": None, "finish_reason": finish_reason(outcome.last)}
