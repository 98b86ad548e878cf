"""Bring a database to the newest schema: Alembic's revisions, shipped as data of this package."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator.storage.urls import sqlite_file, with_async_driver

# Any constant number: it names the lock that two gateways starting at once on one Postgres compete for.
_POSTGRES_LOCK = 7_263_301


async def upgrade(url: str) -> None:
    """Create or upgrade the database at ``url``; the work runs in a thread, off the event loop.

    Only one process upgrades at a time; the others wait and then find nothing to do.
    """
    await asyncio.to_thread(upgrade_blocking, url)


def upgrade_blocking(url: str) -> None:
    """``upgrade`` for a caller without an event loop."""
    parsed = with_async_driver(url)
    file = sqlite_file(parsed)
    if file is None:
        asyncio.run(_upgrade(parsed))
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with _locked(file.with_name(file.name + ".upgrade")):
        # The database holds what people asked: nobody else on the machine reads it.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        asyncio.run(_upgrade(parsed))


async def _upgrade(url: URL) -> None:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run_migrations)
    finally:
        await engine.dispose()


def run_migrations(connection: Connection, revision: str = "head") -> None:
    """Upgrade over an open connection; its transaction is the caller's."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK})
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def alembic_config() -> Config:
    """Alembic's configuration, built here so that an installed package needs no ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
