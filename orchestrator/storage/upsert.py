"""Insert or update in one statement, in the dialect of the database at hand."""

from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import Insert

from orchestrator.storage.tables import Base


def upsert(
    session: AsyncSession, table: type[Base], values: dict[str, Any], keep: AbstractSet[str] = frozenset()
) -> Insert:
    """A statement that stores ``values``; columns in ``keep`` are not touched where the row exists already."""
    key = [column.name for column in inspect(table).primary_key]
    changed = {name: value for name, value in values.items() if name not in key and name not in keep}
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table).values(values).on_conflict_do_update(index_elements=key, set_=changed)
    return sqlite.insert(table).values(values).on_conflict_do_update(index_elements=key, set_=changed)
