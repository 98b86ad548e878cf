"""``tandem keys`` as typed."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.storage.database import Database
from web.cli.keys import app


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TANDEM__STORAGE__DIRECTORY", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


async def _verified(folder: Path, plain: str) -> bool:
    async with Database.open(f"sqlite:///{folder / 'data' / 'tandem.db'}") as database:
        return await database.verify_key(plain) is not None


def test_a_key_is_made_listed_without_its_secret_and_revoked(command: CliRunner, tmp_path: Path) -> None:
    made = command.invoke(app, ["create", "laptop", "--runs-per-minute", "5", "--hide-reasoning"])
    assert made.exit_code == 0, made.output
    plain = made.stdout.strip()
    assert asyncio.run(_verified(tmp_path, plain))
    listed = command.invoke(app, ["list"]).stdout
    assert "laptop" in listed
    assert "hidden" in listed
    assert plain not in listed
    identity = next(word for word in listed.split() if word.startswith("key_"))
    assert command.invoke(app, ["revoke", identity]).exit_code == 0
    assert not asyncio.run(_verified(tmp_path, plain))
    assert "revoked" in command.invoke(app, ["list"]).stdout


def test_revoking_what_is_not_there_fails_with_the_way_out(command: CliRunner) -> None:
    result = command.invoke(app, ["revoke", "key_0"])
    assert result.exit_code == 1
    assert "tandem keys list" in result.stderr


def test_a_key_has_its_own_list_of_tools(command: CliRunner, tmp_path: Path) -> None:
    for name, options in (
        ("some", ["--tools", "python", "--tools", "files__*"]),
        ("none", ["--tools", ""]),
        ("all", []),
    ):
        assert command.invoke(app, ["create", name, *options]).exit_code == 0
    listed = command.invoke(app, ["list"]).stdout
    assert "python, files__*" in listed

    async def allowed() -> dict[str, tuple[str, ...] | None]:
        async with Database.open(f"sqlite:///{tmp_path / 'data' / 'tandem.db'}") as database:
            return {key.name: await database.allowed_tools(key.id) for key in await database.list_keys()}

    assert asyncio.run(allowed()) == {"some": ("python", "files__*"), "none": (), "all": None}
