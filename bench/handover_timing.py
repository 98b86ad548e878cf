"""How long one model takes to its first token after the other one's turn, at a given length of what both have read."""

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from workers.collaboration.desk import LocalDesk
from workers.collaboration.gate import OpenGate
from workers.collaboration.page import Page
from workers.collaboration.policy import Call, Keep, Role
from workers.collaboration.protocol import CollaborationRequest
from workers.collaboration.seat import Seat
from workers.engines.protocol import Engine, Sampling
from workers.messages import Message
from workers.usage import Usage

_SENTENCE = "Line {number} of record {run}: the quick brown fox looks at {number} apples and goes its way.\n"
_ROLES: tuple[Role, Role] = ("small", "large")


@dataclass(frozen=True, slots=True)
class Handing:
    """One hand-over from ``origin``: seconds from the end of its turn to the other's first token, and what that one's
    engine read. ``own`` are the seconds from request to first token when the same model goes on by itself a moment
    later, with all but its last token in its cache."""

    origin: Role
    seconds: float
    own: float
    read: int
    cached: int


async def hand_over(engines: Mapping[Role, Engine], prefix: int, delta: int, times: int) -> AsyncIterator[Handing]:
    """Let two models take turns of ``delta`` tokens after ``prefix`` tokens that both have in their caches, until each
    has handed over ``times`` times. The prefix is a new one, so that nothing of it is cached from before."""
    page, desk, request = await _desk(engines, prefix, delta, times)
    for role in _ROLES:
        await _turn(desk, page, role, delta)
    for turn in range(2 * times):
        role = _ROLES[turn % 2]
        before = request.meter.usage[role]
        ended = time.perf_counter()
        first = await _turn(desk, page, role, delta)
        read = _read(before, request.meter.usage[role])
        asked = time.perf_counter()
        own = await _turn(desk, page, role, 1)
        yield Handing(_ROLES[1 - turn % 2], first - ended, own - asked, read.prompt - read.cached, read.cached)


async def _desk(
    engines: Mapping[Role, Engine], prefix: int, delta: int, times: int
) -> tuple[Page, LocalDesk, CollaborationRequest]:
    limit = (2 * times + 2) * (delta + 1)
    request = CollaborationRequest(
        job=uuid.uuid4().hex,
        policy="turns",
        small="small",
        large="large",
        messages=(Message(role="user", content=""),),
        sampling=Sampling(max_tokens=limit),
    )
    run = uuid.uuid4().hex
    text = "".join(_SENTENCE.format(number=number, run=run) for number in range(1, prefix // 8 + 2))
    seats: dict[Role, Seat] = {}
    for role in _ROLES:
        seats[role] = Seat(role, role, engines[role], shared=True)
        seats[role].ids = list((await engines[role].tokenize(text))[:prefix])
    page = Page(request, limit, ())
    return page, LocalDesk(request, seats, page, OpenGate()), request


async def _turn(desk: LocalDesk, page: Page, role: Role, tokens: int) -> float:
    """Let ``role`` write; when its first token came, on the clock of ``time.perf_counter``."""
    first: float | None = None
    async with aclosing(desk.propose(role, Call(limit=tokens))) as proposals:
        async for proposal in proposals:
            first = time.perf_counter() if first is None else first
            if not proposal.ends:
                list(page.put(Keep(role, (proposal,), "")))
    if first is None:
        raise RuntimeError(f"the {role} model wrote nothing")
    return first


def _read(before: Usage, after: Usage) -> Usage:
    return Usage(prompt=after.prompt - before.prompt, cached=after.cached - before.cached)
