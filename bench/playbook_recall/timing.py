"""Times recall from a real Redis, beside a scan over the same vectors with numpy."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from redis.asyncio import Redis

from bench.playbook_recall.vectors import Cloud
from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import Entry, Recipe
from orchestrator.playbook.entry_hash import filter_of
from routers.embedding import Vectors

COUNT = 10
_AT_ONCE = 64
_CHUNK = 2000
_PAIR, _VERSION = "pair", "1"
_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Timed:
    """What a query took (seconds, each), how much of that processors worked for it, in Redis and here, and the share of
    the exact ten nearest that were among those found."""

    seconds: Sequence[float]
    work: Sequence[float]
    found: float


class Worked:
    """Processor time of Redis and of this process, in seconds: what a query costs whatever else the machine does."""

    def __init__(self, redis_process: int) -> None:
        # Linux's clock of another process, as ``clock_getcpuclockid`` computes it.
        self._redis = (~redis_process << 3) | 2

    def now(self) -> float:
        return time.clock_gettime(self._redis) + time.process_time()


@dataclass(frozen=True, slots=True)
class Stand:
    """The playbook with ``size`` entries: ``memory`` of Redis in MiB, and each way of asking with its times."""

    size: int
    memory: float
    ways: dict[str, Timed]


async def measured(
    redis: Redis, entries: Entries, owner: str, vectors: Cloud, sizes: Sequence[int], say: Callable[[str], None]
) -> AsyncIterator[Stand]:
    """Fill the playbook up to each of ``sizes`` in turn and time every way of asking it."""
    empty = await _memory(redis)
    worked = Worked(cast(dict[str, int], await redis.info("server"))["process_id"])
    ids = [uuid.uuid4().hex for _ in vectors.stored]
    filled = 0
    for size in sizes:
        started = time.monotonic()
        while filled < size:
            upto = min(size, filled + _CHUNK)
            await _fill(entries, owner, vectors, ids, range(filled, upto))
            filled = upto
        say(f"  {owner}: {size} entries, the last of them stored in {time.monotonic() - started:.0f} s")
        yield Stand(size, await _memory(redis) - empty, await _ways(entries, owner, vectors, ids[:size], worked))


async def _fill(entries: Entries, owner: str, vectors: Cloud, ids: Sequence[str], numbers: Iterable[int]) -> None:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def put(number: int) -> None:
        async with limit:
            await entries.put_at(_entry(owner, ids[number], vectors.groups[number]), vectors.stored[number])

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(put(number))


async def _ways(entries: Entries, owner: str, vectors: Cloud, ids: Sequence[str], worked: Worked) -> dict[str, Timed]:
    stored = vectors.stored[: len(ids)]
    everything = np.arange(len(ids))
    in_group = {group: np.flatnonzero(np.asarray(vectors.groups[: len(ids)]) == group) for group in set(vectors.groups)}
    nearest_groups = [vectors.groups[int(np.argmax(stored @ query))] for query in vectors.asked]
    wanted = filter_of(("promoted", "candidate"), pair=_PAIR, version=_VERSION)

    def through(expression: Callable[[int], str]) -> Callable[[int], Awaitable[list[str]]]:
        async def ask(number: int) -> list[str]:
            found = await entries.nearest(owner, "recipe", vectors.asked[number], expression(number), COUNT)
            return [item.entry.id for item in found]

        return ask

    def of_topic(number: int) -> str:
        topic = _topic(nearest_groups[number])
        return filter_of(("promoted", "candidate"), topic=topic, pair=_PAIR, version=_VERSION)

    async def scan(number: int) -> list[str]:
        return [ids[index] for index in _exact(stored, everything, vectors.asked[number])]

    exact = [[ids[index] for index in _exact(stored, everything, query)] for query in vectors.asked]
    exact_of_topic = [
        [ids[index] for index in _exact(stored, in_group[group], query)]
        for query, group in zip(vectors.asked, nearest_groups, strict=True)
    ]
    return {
        "nearest": await _timed(through(lambda _: ""), exact, worked),
        "nearest of the pair": await _timed(through(lambda _: wanted), exact, worked),
        "nearest of the topic": await _timed(through(of_topic), exact_of_topic, worked),
        "numpy scan": await _timed(scan, exact, worked),
    }


async def _timed(ask: Callable[[int], Awaitable[list[str]]], exact: Sequence[Sequence[str]], worked: Worked) -> Timed:
    seconds, work, shares = [], [], []
    for number, right in enumerate(exact):
        started, before = time.perf_counter(), worked.now()
        found = await ask(number)
        work.append(worked.now() - before)
        seconds.append(time.perf_counter() - started)
        shares.append(len(set(found) & set(right)) / len(right))
    return Timed(seconds, work, float(np.mean(shares)))


def _exact(stored: Vectors, among: np.ndarray[tuple[int], np.dtype[np.int64]], query: Vectors) -> list[int]:
    scores = stored @ query if len(among) == len(stored) else stored[among] @ query
    count = min(COUNT, len(among))
    best = np.argpartition(-scores, count - 1)[:count]
    return [int(among[index]) for index in best[np.argsort(-scores[best])]]


def _entry(owner: str, identifier: str, group: int) -> Entry:
    now = time.time()
    return Entry(
        id=identifier,
        owner=owner,
        kind="recipe",
        name="program(small)",
        text="Writes a short program and runs it.",
        recipe=Recipe(strategy="program", models=("small",)),
        problem="A train covers 150 km in 2.5 hours. How many km does it cover in 7 hours?",
        topic=_topic(group),
        form="number",
        pair=_PAIR,
        version=_VERSION,
        status="promoted",
        wins=8.0,
        trials=10,
        tokens=1200,
        cost=900.0,
        created=now,
        used=now,
        provenance=tuple(uuid.uuid4().hex for _ in range(5)),
    )


def _topic(group: int) -> str:
    return f"topic-{group}"


async def _memory(redis: Redis) -> float:
    return float(cast(dict[str, int], await redis.info("memory"))["used_memory"]) / _MEBIBYTE
