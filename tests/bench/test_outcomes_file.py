"""Outcomes as a file that tells no question: what comes back is what was there, and nothing else is in the file."""

from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from agents.problem import AnswerForm, Evidence
from bench.outcomes_file import OutcomesFileUnreadable, export_outcomes, restore_outcomes
from orchestrator.outcomes.learning import of_these_models
from orchestrator.outcomes.store import OutcomeStore
from orchestrator.settings_file import load_settings
from routers.acceptance.asked import asked_of, data_hash
from routers.acceptance.training import Pair, train
from routers.outcome import Outcome
from tests.routers.acceptance.outcomes import PARAMETERS, answering, made_up
from web.cli.main import build
from workers.usage import Usage

_STUB = 'Complete this.\n\ndef double(x):\n    """Give back twice the number that was handed over."""\n'


def _outcome(value: str | None, form: AnswerForm = "number", question: str = "", **changes: object) -> Outcome:
    known = Outcome(
        id="tiny/1",
        question=question or "How many kilometres are left when the train has gone 3 of 7?",
        family="tiny",
        split_key="tiny/0",
        form=form,
        route="program(large)",
        value=value,
        correct=True,
        tokens={"large": Usage(prompt=10, completion=3, cached=1)},
        seconds=0.1,
        evidence=Evidence(program_ran=True, mean_logprob=-0.12345678901234567, length=3),
        build="1d9614638d18 sglang http://host.example:30000; steps of 1024",
        created=12.5,
    )
    return known.model_copy(update=changes)


def _questions(folder: Path, outcomes: list[Outcome]) -> Path:
    folder.mkdir()
    rows = {
        one.id: {"id": one.id, "question": one.question, "answer": "7", "kind": "math", "answer_type": "number"}
        for one in outcomes
    }
    for family in {one.family for one in outcomes}:
        lines = [orjson.dumps(row) for id, row in rows.items() if id.startswith(f"{family}/")]
        (folder / f"{family}.jsonl").write_bytes(b"\n".join(lines))
    return folder


def test_what_is_restored_trains_the_same_card(tmp_path: Path) -> None:
    made = made_up(40)
    OutcomeStore(tmp_path / "here").append(made)
    export_outcomes(OutcomeStore(tmp_path / "here").read(), tmp_path / "file.parquet")
    there = OutcomeStore(tmp_path / "there")
    found = restore_outcomes(tmp_path / "file.parquet", _questions(tmp_path / "data", made), there)
    assert (found.added, found.before, found.missing) == (160, 0, {})
    assert there.read() == made, "in the same order, from which it is told what was asked throughout"
    settings = load_settings(environment={})
    one, other = (asked_of(of_these_models(outcomes, settings), {}) for outcomes in (made, there.read()))
    assert data_hash(one) == data_hash(other)
    cards = [train(asked, Pair("a", "b", PARAMETERS), answering(), 0) for asked in (one, other)]
    assert cards[0].weights == cards[1].weights and cards[0].risks == cards[1].risks


def test_a_second_time_adds_nothing(tmp_path: Path) -> None:
    made = made_up(3)
    export_outcomes(made, tmp_path / "file.parquet")
    data, store = _questions(tmp_path / "data", made), OutcomeStore(tmp_path / "there")
    store.append(made[:5])
    assert restore_outcomes(tmp_path / "file.parquet", data, store).added == 7
    again = restore_outcomes(tmp_path / "file.parquet", data, store)
    assert (again.added, again.before) == (0, 12) and len(store.read()) == 12


def test_outcomes_that_differ_in_the_engines_address_alone_are_one(tmp_path: Path) -> None:
    elsewhere = _outcome("9", build="1d9614638d18 sglang http://other.example:1; steps of 1024")
    written = export_outcomes([_outcome("4"), elsewhere, _outcome("4", seed=1)], tmp_path / "file.parquet")
    assert (written.outcomes, written.left) == (2, 0)
    store = OutcomeStore(tmp_path / "there")
    restore_outcomes(tmp_path / "file.parquet", _questions(tmp_path / "data", [_outcome("4")]), store)
    assert [(one.seed, one.value) for one in store.read()] == [(0, "9"), (1, "4")], "the last word on it counts"


def test_the_file_holds_no_word_of_a_question(tmp_path: Path) -> None:
    telling = "From the text how many kilometres are left when the train has gone I get 4"
    code = f"{_STUB}    return 2 * x"
    rambling = "First of all I take " + "a number and " * 20
    outcomes = [
        _outcome(None),
        _outcome("4", seed=1),
        _outcome(telling, seed=2),
        _outcome(code, "code", _STUB, id="tiny/2"),
        _outcome(rambling, "text", "Which?", id="tiny/3"),
        _outcome(rambling.upper(), "text", "Which?", id="tiny/3", seed=1),
    ]
    path = tmp_path / "file.parquet"
    written = export_outcomes(outcomes, path)
    assert (written.outcomes, written.questions, written.hidden, written.left) == (6, 3, 4, 0)
    table = pq.read_table(path)
    content = repr(table.to_pylist()).casefold()
    for word in ("kilometres", "train has gone", "twice", "double", "first of all", "host.example"):
        assert word not in content
    values = table["value"].to_pylist()
    assert values[:2] == [None, "4"]
    assert values[4] == values[5] != values[3], "equal answers are still equal"
    assert set(table.column_names).isdisjoint({"question", "source", "created"})


def test_real_runs_and_outcomes_whose_question_was_not_kept_stay_where_they_are(tmp_path: Path) -> None:
    outcomes = [_outcome("4"), _outcome("4", id="run", source="feedback"), _outcome("4", id="bare", question="")]
    outcomes[2] = outcomes[2].model_copy(update={"question": ""})
    assert export_outcomes(outcomes, tmp_path / "file.parquet").left == 2
    assert pq.read_table(tmp_path / "file.parquet")["id"].to_pylist() == ["tiny/1"]


def test_questions_that_are_missing_or_worded_differently_are_left_out_and_counted(tmp_path: Path) -> None:
    made = [*made_up(2), *made_up(1, family="elsewhere")]
    export_outcomes(made, tmp_path / "file.parquet")
    data = _questions(tmp_path / "data", made)
    (data / "elsewhere.jsonl").unlink()
    changed = data / "made-up.jsonl"
    changed.write_bytes(changed.read_bytes().replace(b"How much are 1 and 2", b"How much is 1 and 2"))
    store = OutcomeStore(tmp_path / "there")
    restored = restore_outcomes(tmp_path / "file.parquet", data, store)
    assert restored.added == 4 and restored.missing == {"made-up": 4, "elsewhere": 4}
    wanted = restore_outcomes(tmp_path / "file.parquet", data, OutcomeStore(tmp_path / "some"), without=["made-up"])
    assert wanted.added == 0 and wanted.missing == {"elsewhere": 4}
    assert {one.id for one in store.read()} == {"made-up/0000"}


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "no.parquet").write_bytes(b"not Parquet")
    OutcomeStore(tmp_path / "store").append([_outcome("4")])
    [batch] = (tmp_path / "store").glob("*.parquet")
    for path in (tmp_path / "no.parquet", tmp_path / "absent.parquet", batch):
        with pytest.raises(OutcomesFileUnreadable, match=path.name):
            restore_outcomes(path, tmp_path / "data", OutcomeStore(tmp_path / "there"))


def _command(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["bench", "outcomes", *arguments])


def test_the_command_line_writes_restores_and_says_what_it_left_out(tmp_path: Path) -> None:
    made = [*made_up(2), *made_up(1, family="elsewhere")]
    OutcomeStore(tmp_path / "here").append(made)
    file, data = str(tmp_path / "some" / "file.parquet"), _questions(tmp_path / "data", made)
    (data / "elsewhere.jsonl").unlink()
    written = _command("export", "--outcomes", str(tmp_path / "here"), "--file", file)
    assert written.exit_code == 0 and "12 outcomes of 3 questions" in written.output
    there = str(tmp_path / "there")
    restored = _command("restore", "--data", str(data), "--outcomes", there, "--file", file)
    assert restored.exit_code == 0 and "8 outcomes restored" in restored.output
    assert "elsewhere 4" in restored.output
    absent = _command("restore", "--data", str(data), "--outcomes", there, "--file", str(tmp_path / "absent"))
    assert absent.exit_code == 1 and "tandem bench outcomes export" in absent.output
