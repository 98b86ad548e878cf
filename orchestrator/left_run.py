"""A run as its gateway left it in Redis, read by the one that takes it over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from agents.events import EVENT, Event, RunFinished
from orchestrator.event_log import log_key, read_all, run_key
from orchestrator.lease import FIRST_FENCE
from orchestrator.runs import RunRequest
from workers.messages import Message

_MOST_TAKES = 5
_log = structlog.get_logger(__name__)

UNREADABLE = (
    "the gateway stopped during this run, and what it left cannot be read by the one that took over, whose log has the "
    "details under the run's id; send the request again"
)
TAKEN_TOO_OFTEN = (
    f"this run was taken over {_MOST_TAKES} times and each time its gateway stopped, so it is not tried again; the "
    "gateways' logs say why they stopped. Ask for less with the next request, or for another model"
)


@dataclass(frozen=True, slots=True)
class LeftRun:
    """``created`` in seconds since 1970. ``cancelled``: its reader does not want it any more. ``fault`` says why it
    cannot go on, if so; ``request`` and ``events`` are then what could be read of them."""

    request: RunRequest
    created: float
    cancelled: bool
    events: tuple[Event, ...] = ()
    fault: str | None = None


async def read_left(redis: Redis, run: str, fence: int) -> LeftRun | None:
    """What the one that holds ``fence`` takes over; None where the run has ended or expired."""
    stored = cast(dict[bytes, bytes], await redis.hgetall(run_key(run)))
    if not stored or (b"finished" in stored and await _ended(redis, run)):
        return None
    created, cancelled = float(stored[b"created"]), b"cancelled" in stored
    request = _request(run, stored)
    if request is None:
        nothing = RunRequest(owner=stored[b"owner"].decode(), messages=(Message(role="user", content=""),))
        return LeftRun(nothing, created, cancelled, fault=UNREADABLE)
    if fence - FIRST_FENCE > _MOST_TAKES:
        # Nothing more is read of it: that may be what ended the gateways.
        return LeftRun(request, created, cancelled, fault=TAKEN_TOO_OFTEN)
    try:
        return LeftRun(request, created, cancelled, tuple(await read_all(redis, run)))
    except ValidationError as error:
        _tell(run, "events", error)
        return LeftRun(request, created, cancelled, fault=UNREADABLE)


def _request(run: str, stored: Mapping[bytes, bytes]) -> RunRequest | None:
    try:
        return RunRequest.model_validate_json(stored[b"request"])
    except ValidationError as error:
        _tell(run, "request", error)
        return None


def _tell(run: str, part: str, error: ValidationError) -> None:
    # Without what stands there: that is what people wrote.
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    _log.error("a run that was left cannot be read", run=run, part=part, faults=faults)


async def _ended(redis: Redis, run: str) -> bool:
    """Whether its last event was written: it was being ended while it was found, or its gateway died right after."""
    newest = cast(list[tuple[bytes, dict[bytes, bytes]]], await redis.xrevrange(log_key(run), count=1))
    return any(isinstance(EVENT.validate_json(fields[b"e"]), RunFinished) for _, fields in newest)
