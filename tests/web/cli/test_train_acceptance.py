"""``tandem train acceptance``: from stored outcomes to a card that serves."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from orchestrator.acceptance_readiness import configured_card
from orchestrator.outcomes.store import OutcomeStore
from orchestrator.settings_file import load_settings
from tests.routers.acceptance.outcomes import made_up
from web.cli.main import build


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANDEM__STORAGE__DIRECTORY", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _train(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["train", "acceptance", *arguments])


def test_a_card_is_learned_from_outcomes_and_serves_where_the_settings_name_it(directory: Path) -> None:
    OutcomeStore(directory / "outcomes").append(made_up(60))
    result = _train()
    assert result.exit_code == 0, result.output
    assert "learned from 60 questions (made-up 60)" in result.output
    [path] = (directory / "acceptance").glob("*.json")
    assert path.name in result.output
    card = configured_card(load_settings(environment={"TANDEM__ACCEPTANCE__CARD": str(path)}))
    assert card is not None
    assert card.families == {"made-up": 60}


def test_too_few_outcomes_are_named_with_the_way_to_more(directory: Path) -> None:
    OutcomeStore(directory / "outcomes").append(made_up(5))
    result = _train()
    assert result.exit_code == 1
    assert "tandem bench collect" in result.output
    assert not (directory / "acceptance").exists()
