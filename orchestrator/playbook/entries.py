"""The entries of the playbook in Redis: hashes, found through Vector Sets, written all or nothing."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from importlib.resources import files
from typing import cast

from redis.asyncio import Redis

from orchestrator.playbook.entry import KINDS, STATUSES, Entry, Evidence, Found, Kind, Listing, Status, UnknownEntry
from orchestrator.playbook.entry_hash import attributes, filter_of, from_hash, to_hash, worth
from orchestrator.playbook.keys import OWNERS, Keys, keys_of
from orchestrator.playbook.text import masked
from orchestrator.playbook.vector_sets import as_bytes, nearest
from routers.embedding import Embedder, Vectors

_PAGE = 200


class Entries:
    """Implements ``Playbook``. At most ``bound`` entries of a kind are kept for an owner; one that nothing was learned
    of for ``days`` expires unless it is pinned."""

    def __init__(self, redis: Redis, embedder: Embedder, *, bound: int = 10_000, days: float = 180) -> None:
        self._redis = redis
        self._embedder = embedder
        self._bound = bound
        self._seconds = int(days * 86_400)
        self._put = redis.register_script(_script("put"))
        self._change = redis.register_script(_script("change"))

    async def put(self, entry: Entry) -> None:
        vector = (await self._embedder.embed([masked(entry.problem)]))[0]
        await self.put_at(entry, vector)

    async def put_at(self, entry: Entry, vector: Vectors) -> None:
        """``put`` with the vector of the entry's problem."""
        keys = keys_of(entry.owner)
        fields = [part for pair in to_hash(entry).items() for part in pair]
        await self._put(
            keys=[
                keys.entry(entry.id),
                keys.vectors(entry.kind),
                keys.values(entry.kind),
                OWNERS,
                keys.active(entry.topic),
            ],
            args=[
                entry.id,
                as_bytes(vector),
                attributes(entry),
                worth(entry),
                self._bound,
                self._seconds,
                entry.owner,
                keys.entry(""),
                *fields,
            ],
        )

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

    async def active(self, owner: str, topic: str) -> list[Entry]:
        """The topic's promoted entries and candidates."""
        key = keys_of(owner).active(topic)
        ids = sorted(entry.decode() for entry in cast(set[bytes], await self._redis.smembers(key)))
        found = await self.some(owner, ids)
        gone = set(ids).difference(entry.id for entry in found)
        if gone:
            # Expired or evicted.
            await self._redis.srem(key, *gone)
        return found

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
        return await self._changed(await self.get(owner, entry), pinned=pinned)

    async def set_status(self, owner: str, entry: str, status: Status) -> Entry:
        known = await self.get(owner, entry)
        if status == "candidate":
            anew = known.model_copy(update={"status": status, "evidence": Evidence(), "wins": 0.0, "trials": 0})
            await self.put(anew.model_copy(update={"tokens": 0, "cost": 0.0}))
            return await self.get(owner, entry)
        return await self._changed(known, status=status)

    async def delete(self, owner: str, entry: str) -> None:
        known = await self.get(owner, entry)
        keys = keys_of(owner)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys.entry(entry))
            pipe.execute_command("VREM", keys.vectors(known.kind), entry)
            pipe.zrem(keys.values(known.kind), entry)
            pipe.srem(keys.active(known.topic), entry)
            await pipe.execute()

    async def clear(self, owner: str) -> int:
        keys, gone = keys_of(owner), sum(sum(each.values()) for each in (await self.counts(owner)).values())
        # The prefix has braces, which match themselves, and nothing else that a pattern could mean otherwise.
        async for key in self._redis.scan_iter(match=f"{keys.prefix}:*", count=1000):
            await self._redis.unlink(key)
        await self._redis.srem(OWNERS, owner)
        return gone

    async def export(self, owner: str) -> AsyncIterator[Entry]:
        async for entry in self._all(owner, KINDS, None):
            yield entry

    async def counts(self, owner: str) -> dict[Kind, dict[Status, int]]:
        counted: dict[Kind, dict[Status, int]] = {kind: dict.fromkeys(STATUSES, 0) for kind in KINDS}
        async for entry in self._all(owner, KINDS, None):
            counted[entry.kind][entry.status] += 1
        return counted

    async def owners(self) -> list[str]:
        """Everyone who has entries or topics."""
        members = cast(set[bytes], await self._redis.smembers(OWNERS))
        return sorted(member.decode() for member in members)

    async def revalue(self, entry: Entry) -> None:
        """After its counts have changed: what it is worth, and what searches know of its status."""
        await self._changed(entry)

    async def sweep(self, owner: str) -> int:
        """Take expired entries out of the indexes; how many they were."""
        keys, swept = keys_of(owner), 0
        for kind in KINDS:
            async for ids in self._pages(keys, kind):
                async with self._redis.pipeline(transaction=False) as pipe:
                    for entry in ids:
                        pipe.exists(keys.entry(entry))
                    there = cast(list[int], await pipe.execute())
                for entry in (entry for entry, exists in zip(ids, there, strict=True) if not exists):
                    await self._redis.vset().vrem(keys.vectors(kind), entry)
                    await self._redis.zrem(keys.values(kind), entry)
                    swept += 1
        return swept

    async def _changed(self, known: Entry, *, status: Status | None = None, pinned: bool | None = None) -> Entry:
        update = {"status": status or known.status, "pinned": known.pinned if pinned is None else pinned}
        entry = known.model_copy(update={**update, "used": time.time()})
        keys = keys_of(entry.owner)
        there = await self._change(
            keys=[
                keys.entry(entry.id),
                keys.vectors(entry.kind),
                keys.values(entry.kind),
                keys.active(entry.topic),
            ],
            args=[
                entry.id,
                attributes(entry),
                worth(entry),
                0 if entry.pinned else self._seconds,
                "status",
                entry.status,
                "pinned",
                "1" if entry.pinned else "0",
            ],
        )
        if not there:
            raise UnknownEntry(entry.id)
        return entry

    async def _all(self, owner: str, kinds: Sequence[Kind], after: str | None) -> AsyncIterator[Entry]:
        """Every entry, kind by kind, the most valuable first, from behind ``after`` on."""
        keys, passed = keys_of(owner), after is None
        for kind in kinds:
            async for ids in self._pages(keys, kind):
                for entry in await self.some(owner, ids):
                    if passed:
                        yield entry
                    passed = passed or entry.id == after

        if not passed:
            raise UnknownEntry(after)

    async def _pages(self, keys: Keys, kind: Kind) -> AsyncIterator[list[str]]:
        # All ids at once, at most ``bound`` of them: what is learned meanwhile must not shift the pages.
        ids = cast(list[bytes], await self._redis.zrevrange(keys.values(kind), 0, -1))
        for start in range(0, len(ids), _PAGE):
            yield [entry.decode() for entry in ids[start : start + _PAGE]]


def _script(name: str) -> str:
    return files("orchestrator.playbook").joinpath(f"{name}.lua").read_text("utf-8")
