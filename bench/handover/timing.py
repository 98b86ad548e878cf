"""How long one model takes to its first token after the other one's turn, at a given length of what both have read."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, cast, get_args

from workers.collaboration.desk import LocalDesk
from workers.collaboration.gate import OpenGate
from workers.collaboration.page import Page
from workers.collaboration.policy import Call, Keep, Role
from workers.collaboration.protocol import CollaborationRequest
from workers.collaboration.seat import Seat
from workers.engines.protocol import Engine, Finish, Generation, Sampling, Token
from workers.messages import Message
from workers.usage import Usage

_SENTENCE = "Line {number} of record {run}: the quick brown fox looks at {number} apples and goes its way.\n"
_BEYOND = 64
_ROLES: tuple[Role, Role] = ("small", "large")

Way = Literal["bounded", "cut", "settled"]
"""How a turn ends: the engine was asked for so many tokens and ends by itself, as in ``stepwise``; or it goes on and is
cut short where the policy hands over, as in ``entropy``, ``divergence`` and ``leader``: an abort comes first. "settled"
tells what of that is the aborted generation's last step, with which the other engine competes for the processor: the
turn is cut, and the other engine is asked only when this one is idle. No policy waits like that."""

Idle = Callable[[], Awaitable[None]]
"""Returns when an engine has no generation under way."""

WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, slots=True)
class Handing:
    """One hand-over from ``origin``: seconds from the last token of its turn, which ended in this ``way``, to the
    other's first token, and what that one's engine read. ``settling``: the seconds that were waited for ``origin``'s
    engine to be idle, which are not in ``seconds``. ``own`` are the seconds from request to first token when the
    same model goes on by itself a moment later, with all but its last token in its cache; ``prefill`` those when as
    many tokens as at the hand-over are new to it, which nobody handed over: other text behind what it had read
    already."""

    way: Way
    origin: Role
    seconds: float
    own: float
    prefill: float
    read: int
    cached: int
    settling: float = 0.0


async def hand_over(
    engines: Mapping[Role, Engine],
    prefix: int,
    delta: int,
    times: int,
    way: Way,
    idle: Mapping[Role, Idle] = MappingProxyType({}),
) -> AsyncIterator[Handing]:
    """Let two models take turns of ``delta`` tokens after ``prefix`` tokens that both have in their caches, until each
    has handed over ``times`` times. The prefix is a new one, so that nothing of it is cached from before. A model that
    ends its turn by itself before it is cut gives no hand-over. The way "settled" needs ``idle`` of both engines."""
    table = await _table(engines, prefix, delta, times)
    for role in _ROLES:
        await _turn(table, role, 1, "bounded")
    for turn in range(2 * times):
        origin, role = _ROLES[1 - turn % 2], _ROLES[turn % 2]
        began = time.perf_counter()
        written = await _turn(table, origin, delta, way)
        settling = await _settle(idle[origin]) if way == "settled" else 0.0
        before = table.request.meter.usage[role]
        first = (await _turn(table, role, 1, "bounded")).first
        read = _read(before, table.request.meter.usage[role])
        # What it is compared with begins from rest too: schedulers and clocks favour an engine that has waited.
        rest = written.last - began
        await asyncio.sleep(rest)
        asked = time.perf_counter()
        own = (await _turn(table, role, 1, "bounded")).first
        fresh = read.prompt - read.cached
        await asyncio.sleep(rest)
        prefill = await _prefill(table, role, fresh, turn)
        if written.ended == way:
            seconds = first - written.last - settling
            yield Handing(way, origin, seconds, own - asked, prefill, fresh, read.cached, settling)


@dataclass(frozen=True, slots=True)
class _Table:
    """``spare`` is more text of the kind of the prefix."""

    seats: Mapping[Role, Seat]
    page: Page
    desk: LocalDesk
    request: CollaborationRequest
    spare: Mapping[Role, Sequence[int]]


async def _table(engines: Mapping[Role, Engine], prefix: int, delta: int, times: int) -> _Table:
    # A turn that is cut asks for all that is left: more than it is let write.
    limit = (2 * times + 2) * (delta + 2) + _BEYOND
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
    spare: dict[Role, Sequence[int]] = {}
    for role in _ROLES:
        ids = await engines[role].tokenize(text)
        seats[role] = Seat(role, role, engines[role], shared=True)
        seats[role].ids, spare[role] = list(ids[:prefix]), ids[prefix:]
    page = Page(request, limit, ())
    return _Table(seats, page, LocalDesk(request, seats, page, OpenGate()), request, spare)


async def _settle(idle: Idle) -> float:
    """Seconds until the engine is idle."""
    began = time.perf_counter()
    await idle()
    return time.perf_counter() - began


async def _prefill(table: _Table, role: Role, fresh: int, turn: int) -> float:
    """Seconds to the first token after ``fresh`` new ones at the end of what the model has read. They are others in
    each turn: an engine may have kept those of an earlier one."""
    seat, spare = table.seats[role], table.spare[role]
    await seat.catch_up(table.page.written, table.page.author)
    # The last token that the model wrote itself is new to its engine too.
    start = turn * fresh % (len(spare) - fresh)
    prompt = (*seat.ids, *spare[start : start + fresh - 1])
    asked = time.perf_counter()
    events = cast(
        AsyncGenerator[Token | Finish, None],
        seat.engine.generate(Generation(prompt, Sampling(max_tokens=1), uuid.uuid4().hex)),
    )
    async with aclosing(events):
        await anext(events)
        seconds = time.perf_counter() - asked
        # To its end: a generation that is over needs no abort.
        async for _ in events:
            pass
    return seconds


@dataclass(frozen=True, slots=True)
class _Turn:
    """When its first and its last token came, on the clock of ``time.perf_counter``, and how it ended."""

    first: float
    last: float
    ended: Way


async def _turn(table: _Table, role: Role, tokens: int, way: Way) -> _Turn:
    """Let ``role`` write so many tokens."""
    times: list[float] = []
    ended: Way = "bounded"
    call = Call(limit=tokens) if way == "bounded" else Call()
    async with aclosing(table.desk.propose(role, call)) as proposals:
        async for proposal in proposals:
            times.append(time.perf_counter())
            if not proposal.ends:
                list(table.page.put(Keep(role, (proposal,), "")))
            if way != "bounded" and len(times) == tokens:
                ended = way
                break
    if not times:
        raise RuntimeError(f"the {role} model wrote nothing")
    return _Turn(times[0], times[-1], ended)


def _read(before: Usage, after: Usage) -> Usage:
    return Usage(prompt=after.prompt - before.prompt, cached=after.cached - before.cached)
