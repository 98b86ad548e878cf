"""Times recall from a real Redis, beside a scan over the same vectors with numpy."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from redis.asyncio import Redis

from bench.playbook_recall.vectors import Cloud, centres
from orchestrator.playbook.entry import Entry, Recipe
from orchestrator.playbook.entry_hash import filter_of
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.recollection import Asked
from orchestrator.settings import Settings
from routers.embedding import Vectors

COUNT = 10
_AT_ONCE = 64
_CHUNK = 2000
_IN_USE = 8
"""Entries of a topic that are promoted; the others were, once."""
_NO_TOPIC = "no topic"
_MEBIBYTE = 2**20


Ask = Callable[[int], Awaitable[list[str]]]
"""What is found for the question of that number."""


@dataclass(frozen=True, slots=True)
class Timed:
    """What a query took (seconds, each), how much of that processors worked for it, in Redis and here, and the share of
    what is nearest that was found: of the exact ten nearest entries, or the nearest topic."""

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


class Prepared:
    """Embeds every text as ``vector``: embedding is not what is timed here."""

    dimensions = 256

    def __init__(self) -> None:
        self.vector: Vectors = np.zeros(self.dimensions, dtype=np.float32)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.vector] * len(texts))


@dataclass(frozen=True, slots=True)
class Filled:
    """An owner's playbook that is being filled with the vectors, in their order. ``embedder`` is that of ``parts``;
    a question at least ``near`` (cosine) to a topic belongs to it."""

    parts: PlaybookParts
    embedder: Prepared
    near: float
    owner: str
    vectors: Cloud
    ids: Sequence[str]

    async def fill(self, numbers: Iterable[int]) -> None:
        limit = asyncio.Semaphore(_AT_ONCE)
        before = Counter(self.vectors.groups[: min(numbers, default=0)])

        async def put(entry: Entry, vector: Vectors) -> None:
            async with limit:
                await self.parts.entries.put_at(entry, vector)

        async with asyncio.TaskGroup() as group:
            for number in numbers:
                topic = self.vectors.groups[number]
                before[topic] += 1
                entry = _entry(self, number, in_use=before[topic] <= _IN_USE)
                group.create_task(put(entry, self.vectors.stored[number]))

    async def begin_topics(self) -> None:
        """One for each group, where its members lie on average."""
        for topic, centre in centres(self.vectors).items():
            self.embedder.vector = centre
            number = self.vectors.groups.index(topic)
            await self.parts.topics.restore(_entry(self, number, in_use=True))


def playbook_of(settings: Settings, redis: Redis, owner: str, vectors: Cloud) -> Filled:
    """Still empty."""
    embedder = Prepared()
    parts = build_parts(settings, redis, embedder, ("program",))
    return Filled(parts, embedder, settings.playbook.near, owner, vectors, [uuid.uuid4().hex for _ in vectors.stored])


async def measured(
    redis: Redis, playbook: Filled, sizes: Sequence[int], say: Callable[[str], None]
) -> AsyncIterator[Stand]:
    """Fill the playbook up to each of ``sizes`` in turn and time every way of asking it."""
    empty = await _memory(redis)
    worked = Worked(cast(dict[str, int], await redis.info("server"))["process_id"])
    await playbook.begin_topics()
    filled = 0
    for size in sizes:
        started = time.monotonic()
        while filled < size:
            upto = min(size, filled + _CHUNK)
            await playbook.fill(range(filled, upto))
            filled = upto
        say(f"  {playbook.owner}: {size} entries, the last of them stored in {time.monotonic() - started:.0f} s")
        yield Stand(size, await _memory(redis) - empty, await _ways(playbook, size, worked))


async def _ways(playbook: Filled, size: int, worked: Worked) -> dict[str, Timed]:
    parts, vectors, owner = playbook.parts, playbook.vectors, playbook.owner
    stored = vectors.stored[:size]

    def nearest(wanted: str) -> Ask:
        async def ask(number: int) -> list[str]:
            found = await parts.entries.nearest(owner, "recipe", vectors.asked[number], wanted, COUNT)
            return [item.entry.id for item in found]

        return ask

    async def recall(number: int) -> list[str]:
        playbook.embedder.vector = vectors.asked[number]
        question = Asked(owner=owner, question=str(number), form="number", run=str(number), may_explore=True)
        return [(await parts.recall.look_up(question)).topic or _NO_TOPIC]

    async def scan(number: int) -> list[str]:
        return [playbook.ids[index] for index in _exact(stored, vectors.asked[number])]

    exact = [[playbook.ids[index] for index in _exact(stored, query)] for query in vectors.asked]
    return {
        "recall": await _timed(recall, _nearest_topics(playbook), worked),
        "nearest": await _timed(nearest(""), exact, worked),
        "nearest of the pair": await _timed(nearest(filter_of(pair=parts.pair, version=parts.version)), exact, worked),
        "numpy scan": await _timed(scan, exact, worked),
    }


def _nearest_topics(playbook: Filled) -> list[list[str]]:
    topics = centres(playbook.vectors)
    likeness = playbook.vectors.asked @ np.stack(list(topics.values())).T
    names = [_topic(group) for group in topics]
    return [[names[int(np.argmax(row))] if row.max() >= playbook.near else _NO_TOPIC] for row in likeness]


async def _timed(ask: Ask, exact: Sequence[Sequence[str]], worked: Worked) -> Timed:
    seconds, work, shares = [], [], []
    for number, right in enumerate(exact):
        started, before = time.perf_counter(), worked.now()
        found = await ask(number)
        work.append(worked.now() - before)
        seconds.append(time.perf_counter() - started)
        shares.append(len(set(found) & set(right)) / len(right))
    return Timed(seconds, work, float(np.mean(shares)))


def _exact(stored: Vectors, query: Vectors) -> list[int]:
    scores = stored @ query
    count = min(COUNT, len(stored))
    best = np.argpartition(-scores, count - 1)[:count]
    return [int(index) for index in best[np.argsort(-scores[best])]]


def _entry(playbook: Filled, number: int, *, in_use: bool) -> Entry:
    now = time.time()
    return Entry(
        id=playbook.ids[number],
        owner=playbook.owner,
        kind="recipe",
        name="program(small)",
        text="Writes a short program and runs it.",
        recipe=Recipe(strategy="program", models=("small",)),
        problem="A train covers 150 km in 2.5 hours. How many km does it cover in 7 hours?",
        topic=_topic(playbook.vectors.groups[number]),
        form="number",
        pair=playbook.parts.pair,
        version=playbook.parts.version,
        status="promoted" if in_use else "demoted",
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
