"""What owners think of their runs' answers: one rating a run, the last one given."""

import time
from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from orchestrator.storage.records import Feedback
from orchestrator.storage.tables import FeedbackRow
from orchestrator.storage.upsert import upsert

# Below what databases take as parameters of one statement.
_AT_ONCE = 500


class FeedbackStore:
    """The table of feedback. Whether the run is the owner's is the caller's to check, with ``Runs.get``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)
        self._pool = engine
        columns = ("run", "owner", "rating", "reason", "created")
        self._store_feedback = upsert(engine.dialect.name, FeedbackRow, columns, keep=("owner",))

    async def save_feedback(self, run: str, owner: str, feedback: Feedback) -> None:
        """Store what the owner says now, in place of what was said before."""
        values = {"run": run, "owner": owner, "created": time.time(), **feedback.model_dump()}
        async with self._pool.begin() as connection:
            await connection.execute(self._store_feedback, values)

    async def remove_feedback(self, run: str, owner: str) -> None:
        """It is no error if there is none."""
        statement = delete(FeedbackRow).where(FeedbackRow.run == run, FeedbackRow.owner == owner)
        async with self._session.begin() as session:
            await session.execute(statement)

    async def feedback_on(self, runs: Collection[str], owner: str) -> dict[str, Feedback]:
        """The owner's feedback on those of ``runs`` that have some."""
        named = sorted(runs)
        found: dict[str, Feedback] = {}
        async with self._session() as session:
            for start in range(0, len(named), _AT_ONCE):
                some = FeedbackRow.run.in_(named[start : start + _AT_ONCE])
                for row in await session.scalars(select(FeedbackRow).where(some, FeedbackRow.owner == owner)):
                    found[row.run] = Feedback.model_validate(row, from_attributes=True)
        return found
