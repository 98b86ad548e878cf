"""Threads in the database: what the next request of a conversation inherits from the one before."""

import time

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from orchestrator.storage.tables import ThreadRow
from orchestrator.storage.upsert import upsert
from orchestrator.threads import ThreadMemory


class ThreadStore:
    """The table of threads; implements ``orchestrator.threads.Threads``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)

    async def recall(self, owner: str, key: str) -> ThreadMemory | None:
        """What the owner's thread of that key left behind, if anything."""
        query = select(ThreadRow).where(ThreadRow.owner == owner, ThreadRow.key == key)
        async with self._session() as session:
            row = await session.scalar(query)
        return None if row is None else ThreadMemory(thread=row.thread, difficulty=row.difficulty)

    async def remember(self, owner: str, key: str, memory: ThreadMemory) -> None:
        """Store what the next turn is to find under ``key``."""
        values = {"owner": owner, "key": key, **memory.model_dump(), "updated": time.time()}
        async with self._session.begin() as session:
            await session.execute(upsert(session, ThreadRow, values))

    async def forget_threads(self, before: float) -> None:
        """Drop what was last stored before ``before`` (Unix seconds): every turn leaves a row, and few are read."""
        async with self._session.begin() as session:
            await session.execute(delete(ThreadRow).where(ThreadRow.updated < before))
