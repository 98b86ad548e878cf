"""``tandem train asking``: from question files to a card that serves."""

from pathlib import Path

import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from routers.asking.card import find_asking_card
from web.cli.main import build


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANDEM__STORAGE__DIRECTORY", str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "id": f"t/{number}/{lacks}",
            "question": f"Ann has {number} boxes of {'many' if lacks else number + 3} pencils. How many has she?",
            "answer": "",
            "kind": "underspecified",
            "answer_type": "label" if lacks else "number",
            "answerable": not lacks,
            "split_key": f"k{number}",
        }
        for number in range(2, 62)
        for lacks in (True, False)
    ]
    (tmp_path / "twins.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    plain = [{**row, "answerable": None, "id": f"o/{row['id']}"} for row in rows if row["answerable"]]
    (tmp_path / "plain.jsonl").write_bytes(b"\n".join(map(orjson.dumps, plain)))
    return tmp_path


def _train(data: Path, *arguments: str) -> Result:
    sets = ("--data", str(data), "--dataset", "twins", "--ordinary", "plain")
    return CliRunner().invoke(build(), ["train", "asking", *sets, *arguments])


def test_a_card_is_learned_and_serves_where_the_settings_name_it(data: Path) -> None:
    result = _train(data)
    assert result.exit_code == 0, result.output
    assert "twins 120, plain 60, of which 60 lack something" in result.output
    card = find_asking_card(str(data / "kept" / "asking.json"))
    assert card.questions == {"twins": 120, "plain": 60}


def test_questions_left_out_take_those_of_the_same_origin_with_them(data: Path) -> None:
    result = _train(data, "--leave-out", "10", "--out", str(data / "held.json"))
    assert result.exit_code == 0, result.output
    card = find_asking_card(str(data / "held.json"))
    assert card.questions["plain"] < 60
    assert card.questions["twins"] + 10 <= 120
    assert card.questions["twins"] == 2 * card.questions["plain"]


def test_too_few_are_named(data: Path) -> None:
    result = _train(data, "--leave-out", "90")
    assert result.exit_code == 1
    assert "too few" in result.output
