"""One handle on the database; what it can do is split by table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from orchestrator.storage.conversation_store import ConversationStore
from orchestrator.storage.feedback_store import FeedbackStore
from orchestrator.storage.keys import Keys
from orchestrator.storage.playbook_store import PlaybookStore
from orchestrator.storage.run_store import RunStore
from orchestrator.storage.session_store import SessionStore
from orchestrator.storage.thread_store import ThreadStore
from orchestrator.storage.upgrade import upgrade
from orchestrator.storage.urls import with_async_driver

_SQLITE_CONNECTIONS = 4


class Database(Keys, RunStore, ThreadStore, ConversationStore, FeedbackStore, SessionStore, PlaybookStore):
    """Every table over one pool of connections. Safe to use from many tasks of one event loop."""

    def __init__(self, engine: AsyncEngine) -> None:
        Keys.__init__(self, engine)
        RunStore.__init__(self, engine)
        ThreadStore.__init__(self, engine)
        ConversationStore.__init__(self, engine)
        FeedbackStore.__init__(self, engine)
        SessionStore.__init__(self, engine)
        PlaybookStore.__init__(self, engine)
        self._engine = engine

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["Database"]:
        """Upgrade the database at ``url`` and open it.

        ``url`` is ``sqlite:///file`` or ``postgresql://…``. Raises ``BadDatabaseUrl``, or SQLAlchemy's
        ``OperationalError`` where it cannot be reached.
        """
        await upgrade(url)
        target = with_async_driver(url)
        on_network = not target.drivername.startswith("sqlite")
        if on_network:
            # A server may have closed an idle connection; a file has not.
            engine = create_async_engine(target, pool_pre_ping=True)
        else:
            # SQLite has one writer at a time: a crowd of connections would wait for each other in its busy loop.
            engine = create_async_engine(target, pool_size=_SQLITE_CONNECTIONS, max_overflow=0)
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        try:
            yield cls(engine)
        finally:
            await engine.dispose()

    @property
    def engine(self) -> AsyncEngine:
        """For a library that brings a store of its own; its tables are made by our migrations."""
        return self._engine

    async def ping(self) -> None:
        """Raises SQLAlchemy's ``SQLAlchemyError`` where the database does not answer."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # Readers go on while one writes, and a second writer waits instead of failing.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
