"""The playbook's entries as they last were: Redis serves them, and is filled from here after a loss."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from orchestrator.storage.records import TaughtRun
from orchestrator.storage.tables import FeedbackRow, PlaybookOutcomeRow, PlaybookRow, RunRow
from orchestrator.storage.upsert import upsert

_COLUMNS = ("owner", "id", "entry", "updated")
_OUTCOME = ("owner", "entry", "run")
# Several times below what databases take as parameters of one statement.
_AT_ONCE = 500
_RECIPE_EXAMPLES = 2
"""The most that a recipe may have: ``orchestrator.playbook.entry.WORKED_EXAMPLES``."""


class PlaybookStore:
    """The tables of entries and of what they learned from, and the runs that taught something."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)
        self._pool = engine
        self._store_entry = upsert(engine.dialect.name, PlaybookRow, _COLUMNS)
        self._store_run = upsert(engine.dialect.name, PlaybookOutcomeRow, _OUTCOME)

    async def save_entry(self, owner: str, entry: str, values: dict[str, Any], runs: Iterable[str]) -> None:
        """``values`` is the entry as JSON holds it, ``runs`` those that it has outcomes of beside what was said
        before."""
        row = {"owner": owner, "id": entry, "entry": values, "updated": time.time()}
        outcomes = [{"owner": owner, "entry": entry, "run": run} for run in runs]
        async with self._pool.begin() as connection:
            await connection.execute(self._store_entry, row)
            if outcomes:
                await connection.execute(self._store_run, outcomes)

    async def remove_entries(self, owner: str, entries: Collection[str] | None = None) -> None:
        """These, or all of the owner's. It is no error if there are none."""
        async with self._session.begin() as session:
            if entries is None:
                await session.execute(delete(PlaybookRow).where(PlaybookRow.owner == owner))
                await session.execute(delete(PlaybookOutcomeRow).where(PlaybookOutcomeRow.owner == owner))
                return
            named = sorted(entries)
            for start in range(0, len(named), _AT_ONCE):
                some = named[start : start + _AT_ONCE]
                of_entry = (PlaybookOutcomeRow.owner == owner, PlaybookOutcomeRow.entry.in_(some))
                await session.execute(delete(PlaybookRow).where(PlaybookRow.owner == owner, PlaybookRow.id.in_(some)))
                await session.execute(delete(PlaybookOutcomeRow).where(*of_entry))

    async def stored_entries(self, owner: str) -> list[dict[str, Any]]:
        async with self._session() as session:
            rows = await session.scalars(select(PlaybookRow.entry).where(PlaybookRow.owner == owner))
            return list(rows)

    async def stored_entries_about(self, owner: str, problems: Collection[str]) -> list[dict[str, Any]]:
        """The owner's entries whose typical question is one of these, and recipes with an example that is."""
        found: dict[str, dict[str, Any]] = {}
        paths = [("problem",), *(("recipe", "examples", index, "problem") for index in range(_RECIPE_EXAMPLES))]
        asked, named = [PlaybookRow.entry[path].as_string() for path in paths], sorted(problems)
        async with self._session() as session:
            for start in range(0, len(named), _AT_ONCE):
                some = or_(*(each.in_(named[start : start + _AT_ONCE]) for each in asked))
                rows = await session.execute(
                    select(PlaybookRow.id, PlaybookRow.entry).where(PlaybookRow.owner == owner, some)
                )
                found |= {row.id: row.entry for row in rows}
        return list(found.values())

    async def outcomes_of_entries(self, owner: str) -> dict[str, set[str]]:
        """The runs that each of the owner's entries has outcomes of, by entry."""
        query = select(PlaybookOutcomeRow.entry, PlaybookOutcomeRow.run).where(PlaybookOutcomeRow.owner == owner)
        found: dict[str, set[str]] = defaultdict(set)
        async with self._pool.connect() as connection:
            for entry, run in await connection.execute(query):
                found[entry].add(run)
        return found

    async def taught_by(self, run: str, owner: str) -> list[str]:
        """The owner's entries that have an outcome of that run."""
        mine = (PlaybookOutcomeRow.owner == owner, PlaybookOutcomeRow.run == run)
        async with self._session() as session:
            return sorted(await session.scalars(select(PlaybookOutcomeRow.entry).where(*mine)))

    async def remove_outcomes(self, run: str, owner: str) -> None:
        """Forget which entries have an outcome of that run."""
        mine = (PlaybookOutcomeRow.owner == owner, PlaybookOutcomeRow.run == run)
        async with self._session.begin() as session:
            await session.execute(delete(PlaybookOutcomeRow).where(*mine))

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
