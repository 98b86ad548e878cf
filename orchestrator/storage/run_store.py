"""Runs with their outcomes. Every read names the owner, so that no caller can forget to check it."""

import time
from collections.abc import Collection
from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from orchestrator.runs import RunRecord, UnknownRun
from orchestrator.storage.records import Outcome, RunFigures
from orchestrator.storage.tables import FeedbackRow, RunRow
from orchestrator.storage.upsert import upsert

_RECORD = (
    "id", "owner", "thread", "status", "created", "updated", "request", "route", "text", "value", "ledger", "error"
)  # fmt: skip
_OUTCOME = tuple(Outcome.model_fields)
_FIXED = ("owner", "created", "request")
# Below what databases take as parameters of one statement.
_AT_ONCE = 500


class RunStore:
    """The table of runs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)
        self._pool = engine
        dialect = engine.dialect.name
        self._store = upsert(dialect, RunRow, _RECORD, _FIXED)
        self._store_outcome = upsert(dialect, RunRow, (*_RECORD, *_OUTCOME), _FIXED)

    async def save_run(self, record: RunRecord, outcome: Outcome | None = None) -> None:
        """Store a run, or what has become of it; owner, request and creation time stay as first stored.

        ``outcome`` None leaves a stored outcome as it is.
        """
        known = {} if outcome is None else outcome.model_dump()
        values: dict[str, Any] = {
            "id": record.id,
            "owner": record.owner,
            "thread": record.request.thread,
            "status": record.status,
            "created": record.created,
            "updated": time.time(),
            "request": record.request.model_dump(mode="json", exclude_none=True),
            "route": record.route,
            "text": record.text,
            "value": record.value,
            "ledger": None if record.ledger is None else record.ledger.model_dump(mode="json"),
            "error": record.error,
            **known,
        }
        statement = self._store if outcome is None else self._store_outcome
        async with self._pool.begin() as connection:
            await connection.execute(statement, values)

    async def get_run(self, run: str, owner: str) -> RunRecord:
        """Raises ``UnknownRun`` where there is no such run, or it is somebody else's."""
        async with self._session() as session:
            row = await session.scalar(select(RunRow).where(RunRow.id == run, RunRow.owner == owner))
        if row is None:
            raise UnknownRun(run)
        return _record(row)

    async def get_runs(self, runs: Collection[str], owner: str) -> dict[str, RunRecord]:
        """Those of ``runs`` that are stored and the owner's, by id."""
        named = sorted(runs)
        found: dict[str, RunRecord] = {}
        async with self._session() as session:
            for start in range(0, len(named), _AT_ONCE):
                some = RunRow.id.in_(named[start : start + _AT_ONCE])
                for row in await session.scalars(select(RunRow).where(some, RunRow.owner == owner)):
                    found[row.id] = _record(row)
        return found

    async def get_outcome(self, run: str, owner: str) -> Outcome:
        """Raises ``UnknownRun``."""
        async with self._session() as session:
            row = await session.scalar(select(RunRow).where(RunRow.id == run, RunRow.owner == owner))
        if row is None:
            raise UnknownRun(run)
        return Outcome.model_validate(row, from_attributes=True)

    async def list_runs(self, owner: str, limit: int = 20, before: str | None = None) -> list[RunRecord]:
        """The owner's runs, newest first; ``before`` is a run's id and gives those older than it.

        Raises ``UnknownRun`` where ``before`` is none of the owner's.
        """
        query = select(RunRow).where(RunRow.owner == owner)
        if before is not None:
            mark = await self.get_run(before, owner)
            older = and_(RunRow.created == mark.created, RunRow.id < mark.id)
            query = query.where(or_(RunRow.created < mark.created, older))
        query = query.order_by(RunRow.created.desc(), RunRow.id.desc()).limit(limit)
        async with self._session() as session:
            return [_record(row) for row in await session.scalars(query)]

    async def list_figures(self, owner: str, since: float, limit: int) -> list[RunFigures]:
        """What the dashboard counts: the owner's ended runs since ``since`` (Unix seconds), the newest ``limit``."""
        query = (
            select(
                RunRow.id,
                RunRow.created,
                RunRow.status,
                RunRow.route,
                RunRow.ledger,
                RunRow.supported,
                FeedbackRow.rating,
            )
            .outerjoin(FeedbackRow, and_(FeedbackRow.run == RunRow.id, FeedbackRow.owner == owner))
            .where(RunRow.owner == owner, RunRow.created >= since, RunRow.status != "running")
            .order_by(RunRow.created.desc())
            .limit(limit)
        )
        async with self._pool.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [RunFigures.model_validate(dict(row)) for row in rows]

    async def unfinished_runs(self) -> list[RunRecord]:
        """Every owner's runs that are stored as running, oldest first: what a starting gateway may have to resume."""
        query = select(RunRow).where(RunRow.status == "running").order_by(RunRow.created)
        async with self._session() as session:
            return [_record(row) for row in await session.scalars(query)]

    async def delete_run(self, run: str, owner: str) -> None:
        """Forget a run and the feedback on it. Raises ``UnknownRun``."""
        statement = delete(RunRow).where(RunRow.id == run, RunRow.owner == owner).returning(RunRow.id)
        async with self._session.begin() as session:
            if (await session.scalars(statement)).first() is None:
                raise UnknownRun(run)
            await session.execute(delete(FeedbackRow).where(FeedbackRow.run == run, FeedbackRow.owner == owner))


def _record(row: RunRow) -> RunRecord:
    return RunRecord.model_validate(row, from_attributes=True)
