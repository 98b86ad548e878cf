"""The playbook's entries as they last were: Redis serves them, and is filled from here after a loss."""

import time
from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from orchestrator.storage.records import TaughtRun
from orchestrator.storage.tables import FeedbackRow, PlaybookRow, RunRow
from orchestrator.storage.upsert import upsert

_COLUMNS = ("id", "owner", "entry", "updated")


class PlaybookStore:
    """The table of entries, and the runs that taught something."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)
        self._pool = engine
        self._store_entry = upsert(engine.dialect.name, PlaybookRow, _COLUMNS, keep=("owner",))

    async def save_entry(self, owner: str, entry: str, values: dict[str, Any]) -> None:
        """``values`` is the entry as JSON holds it."""
        row = {"id": entry, "owner": owner, "entry": values, "updated": time.time()}
        async with self._pool.begin() as connection:
            await connection.execute(self._store_entry, row)

    async def remove_entries(self, owner: str, entries: Collection[str] | None = None) -> None:
        """These, or all of the owner's. It is no error if there are none."""
        statement = delete(PlaybookRow).where(PlaybookRow.owner == owner)
        if entries is not None:
            statement = statement.where(PlaybookRow.id.in_(sorted(entries)))
        async with self._session.begin() as session:
            await session.execute(statement)

    async def stored_entries(self, owner: str) -> list[dict[str, Any]]:
        async with self._session() as session:
            rows = await session.scalars(select(PlaybookRow.entry).where(PlaybookRow.owner == owner))
            return list(rows)

    async def playbook_owners(self) -> list[str]:
        """Everyone with entries or with runs that taught something."""
        entries = select(PlaybookRow.owner).distinct()
        runs = select(RunRow.owner).where(RunRow.lesson.is_not(None)).distinct()
        async with self._session() as session:
            return sorted({*(await session.scalars(entries)), *(await session.scalars(runs))})

    async def taught_runs(self, owner: str, *, latest: int = 100_000) -> list[TaughtRun]:
        """The owner's ``latest`` runs with a lesson, oldest first."""
        return list(reversed(await self._taught(RunRow.owner == owner, limit=latest)))

    async def taught_run(self, run: str, owner: str) -> TaughtRun | None:
        """None where the run taught nothing, or is not the owner's."""
        found = await self._taught(RunRow.owner == owner, RunRow.id == run, limit=1)
        return found[0] if found else None

    async def _taught(self, *conditions: Any, limit: int) -> list[TaughtRun]:
        query = (
            select(
                RunRow.id, RunRow.owner, RunRow.created, RunRow.status, RunRow.request, RunRow.route, RunRow.value,
                RunRow.form, RunRow.supported, RunRow.ledger, RunRow.lesson, RunRow.text, FeedbackRow.rating,
            )
            .outerjoin(FeedbackRow, FeedbackRow.run == RunRow.id)
            .where(RunRow.lesson.is_not(None), RunRow.status != "running", *conditions)
            .order_by(RunRow.created.desc())
            .limit(limit)
        )  # fmt: skip
        async with self._pool.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [TaughtRun.model_validate(dict(row)) for row in rows]
