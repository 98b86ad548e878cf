"""Threads: what the next request of a conversation inherits from the one before."""

import hashlib
import time
from collections.abc import Sequence

import orjson
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from orchestrator.storage.records import ThreadRecord
from orchestrator.storage.tables import ThreadRow
from orchestrator.storage.upsert import upsert
from workers.messages import Message


def conversation_digest(messages: Sequence[Message]) -> str:
    """A digest of what was said by whom; ids of tool calls are left out, since clients do not all repeat them."""
    said = [[message.role, message.content] for message in messages]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()


class ThreadStore:
    """The table of threads."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)
        self._pool = engine
        self._store_thread = upsert(engine.dialect.name, ThreadRow, (*ThreadRecord.model_fields, "updated"))

    async def save_thread(self, thread: ThreadRecord) -> None:
        """Store a thread as its last run leaves it."""
        values = {**thread.model_dump(), "updated": time.time()}
        async with self._pool.begin() as connection:
            await connection.execute(self._store_thread, values)

    async def get_thread(self, thread: str, owner: str) -> ThreadRecord | None:
        """The owner's thread of that id. The id of a thread's last run finds it as well, because that is what a
        caller gets as ``thread_id`` who did not name the thread."""
        query = select(ThreadRow).where(ThreadRow.owner == owner, or_(ThreadRow.id == thread, ThreadRow.run == thread))
        return await self._first(query.order_by(ThreadRow.id != thread, ThreadRow.updated.desc()).limit(1))

    async def find_thread(self, digest: str, owner: str) -> ThreadRecord | None:
        """The owner's newest thread that ended with the messages of that digest."""
        query = select(ThreadRow).where(ThreadRow.owner == owner, ThreadRow.digest == digest)
        return await self._first(query.order_by(ThreadRow.updated.desc()).limit(1))

    async def _first(self, query: Select[ThreadRow]) -> ThreadRecord | None:
        async with self._session() as session:
            row = await session.scalar(query)
        return None if row is None else ThreadRecord.model_validate(row, from_attributes=True)
