"""The seam of the playbook: what doors and the learner do with its entries."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from orchestrator.playbook.entry import Entry, Found, Kind, Listing, Status


class Playbook(Protocol):
    """Entries of one owner at a time. Every method raises ``redis.exceptions.RedisError`` while Redis is away, and
    ``UnknownEntry`` for an id that is none of the owner's."""

    async def entries(
        self,
        owner: str,
        *,
        kind: Kind | None = None,
        status: Status | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Listing: ...

    async def search(
        self,
        owner: str,
        text: str,
        *,
        kind: Kind | None = None,
        statuses: Sequence[Status] = (),
        count: int = 10,
    ) -> tuple[Found, ...]:
        """The entries about the most similar problems, most similar first; no ``statuses`` means every one."""
        ...

    async def get(self, owner: str, entry: str) -> Entry: ...

    async def pin(self, owner: str, entry: str, pinned: bool = True) -> Entry:
        """A pinned entry is neither evicted nor expires."""
        ...

    async def set_status(self, owner: str, entry: str, status: Status) -> Entry:
        """``disabled`` keeps an entry from being used and from being proposed again; ``candidate`` lets it be tried
        anew, with no evidence."""
        ...

    async def delete(self, owner: str, entry: str) -> None: ...

    async def clear(self, owner: str) -> int:
        """Forget everything of the owner's; the number of entries that were there."""
        ...

    def export(self, owner: str) -> AsyncIterator[Entry]: ...

    async def put(self, entry: Entry) -> tuple[str, ...]:
        """Store an entry as it is, with its outcomes, in place of one with its id; the ids of those that had to make
        room."""
        ...

    async def counts(self, owner: str) -> dict[Kind, dict[Status, int]]: ...
