"""Which database the settings mean."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from orchestrator.settings import StorageSettings

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


class BadDatabaseUrl(ValueError):
    """The database URL cannot be read or names a database Tandem does not know."""


def database_url(settings: StorageSettings) -> str:
    """The URL of the settings, or else that of ``tandem.db`` in their directory."""
    return settings.database_url or f"sqlite:///{settings.directory / 'tandem.db'}"


def with_async_driver(url: str) -> URL:
    """``url`` with the driver that Tandem uses. Raises ``BadDatabaseUrl``."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadDatabaseUrl(
            "storage.database_url cannot be read as a URL; write for example "
            "'postgresql://user:password@host/tandem', or leave it empty for SQLite"
        ) from error
    known = parsed.drivername if parsed.drivername in _DRIVERS.values() else _DRIVERS.get(parsed.drivername)
    if known is None:
        raise BadDatabaseUrl(
            f"storage.database_url names {parsed.drivername!r}; Tandem stores in 'sqlite' or 'postgresql'"
        )
    return parsed.set(drivername=known)


def sqlite_file(url: URL) -> Path | None:
    """The file behind a SQLite URL, None for another database or one in memory."""
    if not url.drivername.startswith("sqlite") or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)
