"""The load: streaming chat requests over kept connections, timed to the first piece of content and to the end."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

import aiohttp
import orjson

from bench.latency.targets import MODEL, REPLY, Target

_SYSTEM = "You are a helpful assistant."
_QUESTION = "Please tell me in a few words what you can do for me."
_HEADERS = {"content-type": "application/json", "authorization": "Bearer none"}


class UnexpectedAnswer(Exception):
    """A server did not stream the scripted answer, so its times would mean nothing."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from sending a request to its first content and to its end."""

    first: float
    total: float


Rounds = list[dict[str, list[Timing]]]
"""For each round, the timings by target's name."""


@dataclass(frozen=True, slots=True)
class Load:
    """``rounds`` times, ``clients`` send ``requests`` each, one after the other, to one target after the other."""

    clients: int
    rounds: int
    requests: int


async def measure(targets: Sequence[Target], load: Load, advance: Callable[[], None]) -> Rounds:
    """Measure all targets in the same rounds, so that a machine that drifts treats them alike, in every order in turn,
    so that none always follows the same other. Raises ``UnexpectedAnswer``."""
    orders = tuple(permutations(targets))
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=_HEADERS) as session:
        for target in targets:  # warm up: open the connections, fill the caches
            await _burst(session, target, load)
            await _burst(session, target, load)
        measured: Rounds = []
        for number in range(load.rounds):
            order = orders[number % len(orders)]
            measured.append({target.name: await _burst(session, target, load) for target in order})
            advance()
        return measured


async def _burst(session: aiohttp.ClientSession, target: Target, load: Load) -> list[Timing]:
    clients = (_client(session, target, load.requests) for _ in range(load.clients))
    return [timing for timings in await asyncio.gather(*clients) for timing in timings]


async def _client(session: aiohttp.ClientSession, target: Target, requests: int) -> list[Timing]:
    return [await _request(session, target) for _ in range(requests)]


async def _request(session: aiohttp.ClientSession, target: Target) -> Timing:
    body = _body()
    started = time.perf_counter()
    first = 0.0
    text = ""
    pending = b""
    async with session.post(f"{target.url}/v1/chat/completions", data=body) as response:
        async for part in response.content.iter_any():
            *lines, pending = (pending + part).split(b"\n")
            for line in lines:
                text += _content(line)
            if text and not first:
                first = time.perf_counter() - started
        if response.status != 200 or text != REPLY:
            raise UnexpectedAnswer(f"{target.name} at {target.url} answered {response.status} with {text!r}")
    return Timing(first, time.perf_counter() - started)


def _body() -> bytes:
    # No two questions are alike: an answer from somebody's cache would measure the cache.
    question = f"[{uuid.uuid4().hex}] {_QUESTION}"
    messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": question}]
    return orjson.dumps({"model": MODEL, "stream": True, "temperature": 0, "max_tokens": 64, "messages": messages})


def _content(line: bytes) -> str:
    if not line.startswith(b"data: {"):
        return ""
    choices = orjson.loads(line[6:]).get("choices")
    return (choices[0]["delta"].get("content") or "") if choices else ""
