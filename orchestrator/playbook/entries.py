"""The entries of the playbook in Redis: hashes, found through Vector Sets, written all or nothing."""

import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import cast

from redis.asyncio import Redis

from orchestrator.playbook.entry import KINDS, STATUSES, Entry, Found, Kind, Listing, Status, UnknownEntry, in_order
from orchestrator.playbook.entry_hash import attributes, definition, filter_of, from_hash, standing, to_hash, worth
from orchestrator.playbook.keys import keys_of
from orchestrator.playbook.scripts import script_of
from orchestrator.playbook.text import masked
from orchestrator.playbook.vector_sets import as_bytes, nearest
from routers.embedding import Embedder, Vectors

_PAGE = 200
_SWEEP_SECONDS = 3600
_FROM: Mapping[Status, Sequence[Status]] = {"promoted": ("candidate",), "demoted": ("candidate", "promoted")}
"""What evidence may change: never what the owner has disabled."""


class Entries:
    """Implements ``Playbook``. At most ``bound`` entries of a kind are kept for an owner; one that nothing was learned
    of for ``days`` expires unless it is pinned, and a promoted one not while its topic is asked about."""

    def __init__(self, redis: Redis, embedder: Embedder, *, bound: int = 10_000, days: float = 180) -> None:
        self.lifetime = days * 86_400
        self._redis = redis
        self._embedder = embedder
        self._bound = bound
        self._put = script_of(redis, "put")
        self._change = script_of(redis, "change")

    async def put(self, entry: Entry) -> tuple[str, ...]:
        vector = (await self._embedder.embed([masked(entry.problem)]))[0]
        return await self.put_at(entry, vector)

    async def put_at(self, entry: Entry, vector: Vectors) -> tuple[str, ...]:
        """``put`` with the vector of the entry's problem."""
        fields = [part for pair in to_hash(entry).items() for part in pair]
        evicted = await self._put(
            keys=self._keys(entry),
            args=[
                *self._renewal(entry),
                entry.id,
                as_bytes(vector),
                attributes(entry),
                worth(entry),
                self._bound,
                *fields,
            ],
        )
        return tuple(other.decode() for other in cast(list[bytes], evicted))

    async def get(self, owner: str, entry: str) -> Entry:
        found = await self.some(owner, [entry])
        if not found:
            raise UnknownEntry(entry)
        return found[0]

    async def some(self, owner: str, ids: Iterable[str]) -> list[Entry]:
        """Those of ``ids`` that are there, in this order."""
        keys = keys_of(owner)
        async with self._redis.pipeline(transaction=False) as pipe:
            for entry in ids:
                pipe.hgetall(keys.entry(entry))
            rows = cast(list[dict[bytes, bytes]], await pipe.execute())
        return [from_hash(row) for row in rows if row]

    async def same(self, entry: Entry) -> list[Entry]:
        """The entry, as it is kept now, and those of the owner's other topics with the same recipe for the same models
        and prompts, whatever their status; none where it is gone."""
        if entry.recipe is None:
            return await self.some(entry.owner, [entry.id])
        return [
            other
            async for other in self._all(entry.owner, ("recipe",), None)
            if (other.recipe, other.pair, other.version) == (entry.recipe, entry.pair, entry.version)
        ]

    async def active(self, owner: str, topic: str) -> list[Entry]:
        """The topic's promoted entries and candidates, ``in_order``."""
        key = keys_of(owner).active(topic)
        ids = [entry.decode() for entry in cast(set[bytes], await self._redis.smembers(key))]
        found = await self.some(owner, ids)
        gone = set(ids).difference(entry.id for entry in found)
        if gone:
            # Expired or evicted.
            await self._redis.srem(key, *gone)
        return in_order(found)

    async def entries(
        self,
        owner: str,
        *,
        kind: Kind | None = None,
        status: Status | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Listing:
        found: list[Entry] = []
        async for entry in self._all(owner, (kind,) if kind else KINDS, after):
            if status is None or entry.status == status:
                found.append(entry)
            if len(found) > limit:
                return Listing(entries=tuple(found[:limit]), after=found[limit - 1].id)
        return Listing(entries=tuple(found))

    async def search(
        self,
        owner: str,
        text: str,
        *,
        kind: Kind | None = None,
        statuses: Sequence[Status] = (),
        count: int = 10,
    ) -> tuple[Found, ...]:
        vector = (await self._embedder.embed([masked(text)]))[0]
        found: list[Found] = []
        for each in (kind,) if kind else KINDS:
            found += await self.nearest(owner, each, vector, filter_of(statuses), count)
        return tuple(sorted(found, key=lambda item: -item.similarity)[:count])

    async def nearest(self, owner: str, kind: Kind, vector: Vectors, wanted: str, count: int) -> list[Found]:
        """The ``count`` entries nearest to ``vector`` that the filter ``wanted`` lets through."""
        scores = await nearest(self._redis, keys_of(owner).vectors(kind), vector, wanted, count)
        entries = await self.some(owner, scores)
        # Redis' approximate search is over quantised vectors; an entry whose hash has expired is not found.
        return [Found(entry=entry, similarity=scores[entry.id]) for entry in entries]

    async def pin(self, owner: str, entry: str, pinned: bool = True) -> Entry:
        return await self._changed(await self.get(owner, entry), {"pinned": "1" if pinned else "0"})

    async def set_status(self, owner: str, entry: str, status: Status) -> Entry:
        """As ``Playbook`` says. What was disabled meanwhile is neither promoted nor demoted: it comes back as it is."""
        change = {"status": status, "anew": status == "candidate", "from": _FROM.get(status, STATUSES)}
        return await self._changed(await self.get(owner, entry), change)

    async def reword(self, owner: str, entry: str, problem: str) -> Entry:
        """Another typical question for an entry; where it lies among the others stays."""
        known = await self.get(owner, entry)
        return await self._changed(known, {"definition": definition(known.model_copy(update={"problem": problem}))})

    async def delete(self, owner: str, entry: str) -> None:
        known = await self.get(owner, entry)
        keys = keys_of(owner)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys.entry(entry))
            pipe.execute_command("VREM", keys.vectors(known.kind), entry)
            pipe.zrem(keys.values(known.kind), entry)
            pipe.srem(keys.active(known.topic), entry)
            pipe.hdel(keys.pinned, entry)
            await pipe.execute()

    async def clear(self, owner: str) -> int:
        keys, gone = keys_of(owner), sum(sum(each.values()) for each in (await self.counts(owner)).values())
        # The prefix has braces, which match themselves, and nothing else that a pattern could mean otherwise.
        async for key in self._redis.scan_iter(match=f"{keys.prefix}:*", count=1000):
            await self._redis.unlink(key)
        return gone

    async def export(self, owner: str) -> AsyncIterator[Entry]:
        async for entry in self._all(owner, KINDS, None):
            yield entry

    async def counts(self, owner: str) -> dict[Kind, dict[Status, int]]:
        counted: dict[Kind, dict[Status, int]] = {kind: dict.fromkeys(STATUSES, 0) for kind in KINDS}
        for kind in KINDS:
            for ids in _pages(await self._ids(owner, (kind,))):
                for status in await self._statuses(owner, ids):
                    if status is not None:
                        counted[kind][status] += 1
        return counted

    async def revalue(self, entry: Entry) -> Entry:
        """After its counts have changed: what it is worth now, and what searches know of its status. The entry as it is
        by then, or as given where it is gone."""
        try:
            return await self._changed(entry, {})
        except UnknownEntry:
            return entry

    async def sweep_again(self, owner: str) -> tuple[str, ...]:
        """``sweep``, if the last time was long enough ago."""
        due = await self._redis.set(keys_of(owner).swept, "1", nx=True, ex=_SWEEP_SECONDS)
        return await self.sweep(owner) if due else ()

    async def sweep(self, owner: str) -> tuple[str, ...]:
        """Take expired entries out of the indexes; their ids."""
        keys, swept = keys_of(owner), []
        for kind in KINDS:
            for ids in _pages(await self._ids(owner, (kind,))):
                there = await self._statuses(owner, ids)
                for entry in (entry for entry, status in zip(ids, there, strict=True) if status is None):
                    await self._redis.vset().vrem(keys.vectors(kind), entry)
                    await self._redis.zrem(keys.values(kind), entry)
                    swept.append(entry)
        return tuple(swept)

    async def _changed(self, known: Entry, change: Mapping[str, object]) -> Entry:
        """Raises ``UnknownEntry``. See ``change.lua``."""
        stored = await self._change(
            keys=self._keys(known),
            args=[*self._renewal(known), known.id, time.time(), standing(known), json.dumps(change)],
        )
        if not stored:
            raise UnknownEntry(known.id)
        fields = cast(list[bytes], stored)
        return from_hash(dict(zip(fields[::2], fields[1::2], strict=True)))

    def _keys(self, entry: Entry) -> list[str]:
        keys = keys_of(entry.owner)
        return [*keys.renewed(entry.topic), keys.entry(entry.id), keys.vectors(entry.kind), keys.values(entry.kind)]

    def _renewal(self, entry: Entry) -> list[str | int]:
        return [entry.topic, int(self.lifetime), keys_of(entry.owner).entry("")]

    async def _all(self, owner: str, kinds: Sequence[Kind], after: str | None) -> AsyncIterator[Entry]:
        """Every entry, kind by kind, the most valuable first, from behind ``after`` on."""
        ids = await self._ids(owner, kinds)
        if after is not None and after not in ids:
            raise UnknownEntry(after)
        for page in _pages(ids if after is None else ids[ids.index(after) + 1 :]):
            for entry in await self.some(owner, page):
                yield entry

    async def _ids(self, owner: str, kinds: Sequence[Kind]) -> list[str]:
        """All at once, at most ``bound`` of a kind: what is learned meanwhile must not shift the pages."""
        found: list[bytes] = []
        for kind in kinds:
            found += cast(list[bytes], await self._redis.zrevrange(keys_of(owner).values(kind), 0, -1))
        return [entry.decode() for entry in found]

    async def _statuses(self, owner: str, ids: Sequence[str]) -> list[Status | None]:
        """None for an entry that has expired."""
        keys = keys_of(owner)
        async with self._redis.pipeline(transaction=False) as pipe:
            for entry in ids:
                pipe.hget(keys.entry(entry), "status")
            found = cast(list[bytes | None], await pipe.execute())
        return [None if status is None else cast(Status, status.decode()) for status in found]


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _PAGE):
        yield ids[start : start + _PAGE]
