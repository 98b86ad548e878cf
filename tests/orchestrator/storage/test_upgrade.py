"""The schema and its migrations."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator.settings import StorageSettings
from orchestrator.storage.database import Database
from orchestrator.storage.tables import Base
from orchestrator.storage.upgrade import upgrade
from orchestrator.storage.urls import BadDatabaseUrl, database_url, with_async_driver


def _difference(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


async def test_the_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    await upgrade(url)
    engine = create_async_engine(with_async_driver(url))
    async with engine.connect() as connection:
        assert await connection.run_sync(_difference) == []
    await engine.dispose()


async def test_gateways_that_start_together_all_get_a_database(url: str) -> None:
    await asyncio.gather(*(upgrade(url) for _ in range(4)))
    async with Database.open(url) as database:
        await database.ping()


async def test_what_was_stored_survives_a_restart(tmp_path: Path) -> None:
    settings = StorageSettings(directory=tmp_path / "not" / "there" / "yet")
    async with Database.open(database_url(settings)) as database:
        plain = (await database.create_key("laptop")).plain
    async with Database.open(database_url(settings)) as database:
        assert await database.verify_key(plain) is not None


@pytest.mark.parametrize("bad", ["mysql://host/tandem", "no url at all"])
async def test_a_url_that_cannot_be_used_says_what_can(bad: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="postgresql"):
        async with Database.open(bad):
            pass
