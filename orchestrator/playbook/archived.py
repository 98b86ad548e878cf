"""The playbook with a copy of its entries in the database, from which a Redis that lost them is filled again."""

from collections.abc import AsyncIterator, Sequence

from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import Entry, Found, Kind, Listing, Status
from orchestrator.storage.database import Database


class DatabaseArchive:
    """Implements ``Archive``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, entries: Sequence[Entry], runs: Sequence[str] = ()) -> None:
        for entry in entries:
            await self._database.save_entry(entry.owner, entry.id, entry.model_dump(mode="json"), runs)

    async def forget(self, owner: str, entries: Sequence[str]) -> None:
        """Those that Redis no longer has: they made room for others, or expired."""
        if entries:
            await self._database.remove_entries(owner, entries)


class NoArchive:
    """For trials on a Redis of their own."""

    async def keep(self, entries: Sequence[Entry], runs: Sequence[str] = ()) -> None:
        return None

    async def forget(self, owner: str, entries: Sequence[str]) -> None:
        return None


class Archived:
    """Implements ``Playbook``: reads from Redis, and what changes there is kept in the database as well."""

    def __init__(self, entries: Entries, database: Database) -> None:
        self._entries = entries
        self._database = database
        self._archive = DatabaseArchive(database)

    async def entries(
        self,
        owner: str,
        *,
        kind: Kind | None = None,
        status: Status | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Listing:
        return await self._entries.entries(owner, kind=kind, status=status, limit=limit, after=after)

    async def search(
        self,
        owner: str,
        text: str,
        *,
        kind: Kind | None = None,
        statuses: Sequence[Status] = (),
        count: int = 10,
    ) -> tuple[Found, ...]:
        return await self._entries.search(owner, text, kind=kind, statuses=statuses, count=count)

    async def get(self, owner: str, entry: str) -> Entry:
        return await self._entries.get(owner, entry)

    async def pin(self, owner: str, entry: str, pinned: bool = True) -> Entry:
        return await self._kept(await self._entries.pin(owner, entry, pinned))

    async def set_status(self, owner: str, entry: str, status: Status) -> Entry:
        return await self._kept(await self._entries.set_status(owner, entry, status))

    async def delete(self, owner: str, entry: str) -> None:
        await self._entries.delete(owner, entry)
        await self._database.remove_entries(owner, [entry])

    async def clear(self, owner: str) -> int:
        gone = await self._entries.clear(owner)
        await self._database.remove_entries(owner)
        return gone

    def export(self, owner: str) -> AsyncIterator[Entry]:
        return self._entries.export(owner)

    async def put(self, entry: Entry) -> tuple[str, ...]:
        evicted = await self._entries.put(entry)
        # It comes with its outcomes, and these are all that it says of where they are from.
        await self._archive.keep([entry], entry.provenance)
        await self._archive.forget(entry.owner, evicted)
        return evicted

    async def counts(self, owner: str) -> dict[Kind, dict[Status, int]]:
        return await self._entries.counts(owner)

    async def _kept(self, entry: Entry) -> Entry:
        await self._archive.keep([entry])
        return entry
