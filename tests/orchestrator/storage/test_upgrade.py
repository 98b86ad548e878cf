"""The schema and its migrations."""

import asyncio
import json
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator.settings import StorageSettings
from orchestrator.storage.database import Database
from orchestrator.storage.tables import Base
from orchestrator.storage.upgrade import run_migrations, upgrade
from orchestrator.storage.urls import BadDatabaseUrl, database_url, with_async_driver


def _difference(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


async def test_the_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    await upgrade(url)
    engine = create_async_engine(with_async_driver(url))
    async with engine.connect() as connection:
        assert await connection.run_sync(_difference) == []
    await engine.dispose()


async def test_entries_of_before_belong_to_their_owners_with_the_runs_they_learned_from(empty_url: str) -> None:
    entries = {
        "ada": {"id": "1" * 32, "owner": "ada", "provenance": ["run1"]},
        # Imported for her, it took the place of the one that it came from.
        "eve": {"id": "2" * 32, "owner": "eve", "provenance": []},
    }
    lesson = {"used": ["1" * 32, "of nobody"], "on_trial": {"entry": "2" * 32}}
    engine = create_async_engine(with_async_driver(empty_url))
    async with engine.begin() as connection:
        await connection.run_sync(run_migrations, "0005")
        for values in entries.values():
            row = {"id": values["id"], "entry": json.dumps(values)}
            await connection.execute(text("INSERT INTO playbook VALUES (:id, 'ada', :entry, 1.0)"), row)
        for owner in ("ada", "eve"):
            await connection.execute(
                text(
                    "INSERT INTO runs (id, owner, status, created, updated, request, text, lesson)"
                    " VALUES (:id, :owner, 'answered', 1.0, 1.0, '{}', '', :lesson)"
                ),
                {"id": f"of {owner}", "owner": owner, "lesson": json.dumps(lesson)},
            )
    await engine.dispose()
    async with Database.open(empty_url) as database:
        for owner, values in entries.items():
            assert await database.stored_entries(owner) == [values]
        assert await database.outcomes_of_entries("ada") == {"1" * 32: {"run1", "of ada"}}
        assert await database.outcomes_of_entries("eve") == {"2" * 32: {"of eve"}}
        await database.save_entry("eve", "1" * 32, {"id": "1" * 32, "owner": "eve"}, ["run1"])
        assert await database.stored_entries("ada") == [entries["ada"]]


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
