"""The database under test: SQLite in a file, and Postgres where its server is installed."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator.storage.database import Database
from orchestrator.storage.urls import with_async_driver


def _postgres_programs() -> Path | None:
    on_path = shutil.which("initdb")
    candidates = [*Path("/usr/lib/postgresql").glob("*/bin"), *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A Postgres server of our own, reached through a socket in its folder."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("no Postgres server is installed here")
    # Not in pytest's folder, which is closed to other users: Postgres refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="tandem-pg-") as name:
        folder = Path(name)
        user: list[str | Path] = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if user:
            shutil.chown(folder, "postgres")
        with _running(programs, folder, user):
            yield f"postgresql://tandem@/postgres?host={folder}"


@contextmanager
def _running(programs: Path, folder: Path, user: list[str | Path]) -> Iterator[None]:
    data = folder / "data"
    _run(*user, programs / "initdb", "-D", data, "-A", "trust", "-U", "tandem", "--no-sync")
    control: list[str | Path] = [*user, programs / "pg_ctl", "-D", data, "-w"]
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    _run(*control, "-l", folder / "log", "-o", options, "start")
    yield
    _run(*control, "-m", "immediate", "stop")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tandem.db'}"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
async def empty_url(url: str) -> str:
    """A database that no migration has been over."""
    if url.startswith("sqlite"):
        return url
    name = f"empty_{uuid.uuid4().hex}"
    engine = create_async_engine(with_async_driver(url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return url.replace("/postgres?", f"/{name}?")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with Database.open(url) as database:
        yield database
