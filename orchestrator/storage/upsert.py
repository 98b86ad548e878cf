"""Insert or update in one statement, in the dialect of the database at hand."""

from collections.abc import Collection, Sequence

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from orchestrator.storage.tables import Base


def upsert(dialect: str, table: type[Base], columns: Sequence[str], keep: Collection[str] = ()) -> Insert:
    """A statement that stores ``columns``, whose values are given when it is executed; build it once.

    Where the row exists already, its key and the columns in ``keep`` stay as they are; all of it where there are no
    other columns.
    """
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    key = [column.name for column in inspect(table).primary_key]
    statement = insert(Base.metadata.tables[table.__tablename__])
    changed = {name: statement.excluded[name] for name in columns if name not in key and name not in keep}
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=changed)
