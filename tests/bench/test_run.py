"""A whole small benchmark: the report's shape, its arithmetic, and that a second run generates nothing."""

import io
from pathlib import Path

import orjson
import pytest
from rich.console import Console
from typer.testing import CliRunner

from bench.main_job import Part, System
from bench.questions import NoQuestions, read_questions
from bench.run import Plan, run
from tests.orchestrator.conftest import settings_for
from tests.processes import free_port
from web.cli.main import build
from workers.engines.errors import EngineUnavailable
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


def _write(folder: Path) -> None:
    rows = [
        {"id": "tiny/1", "question": "What is 2 + 2?", "answer": "4", "kind": "math", "answer_type": "number"},
        {"id": "tiny/2", "question": "What is 2 + 3?", "answer": "5", "kind": "math", "answer_type": "number"},
    ]
    (folder / "tiny.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows))


async def test_a_report_has_the_agreed_shape_and_a_second_run_is_free(tmp_path: Path, scripted: ScriptedServer) -> None:
    _write(tmp_path)
    scripted.script = Script(
        replies=(say("```python\nprint(4)\n```", match="Python program"),), default=say("It is \\boxed{4}.")
    )
    settings = settings_for(tmp_path, "", scripted.url)
    plan = Plan(
        name="tiny",
        data=tmp_path,
        parts=(Part("tiny", 2, (System("program(large)"), System("cot(large)"), System("auto", "low"))),),
        cache=tmp_path / "generations.sqlite",
        results=tmp_path / "results",
        concurrency=2,
    )
    await run(plan, settings, Console(quiet=True))
    report = orjson.loads((tmp_path / "results" / "tiny.json").read_bytes())
    rows = {row["system"]: row for row in report["rows"]}
    assert {"bench", "created", "commit", "machine", "models", "rows", "aims"} <= set(report)
    assert rows["cot(large)"]["cost"] == 1.0
    assert rows["program(large)"]["accuracy"] == 0.5
    assert rows["oracle over 2 constants"]["accuracy"] == 0.5
    assert rows["auto low"]["tokens"]["large"] == rows["program(large)"]["tokens"]["large"]
    assert (tmp_path / "results" / "tiny.png").stat().st_size > 1000
    generated = scripted.stats.requests
    shown = Console(record=True, width=240, file=io.StringIO())
    await run(plan, settings, shown)
    assert scripted.stats.requests == generated
    again = {row["system"]: row for row in orjson.loads((tmp_path / "results" / "tiny.json").read_bytes())["rows"]}
    assert all(row["seconds"] > 0 for name, row in rows.items() if not name.startswith("oracle"))
    for name, row in rows.items():
        assert again[name]["seconds"] == pytest.approx(row["seconds"]), "the cache knows how long it took"
    assert "seconds" in shown.export_text()


async def test_an_engine_that_goes_away_is_named_and_not_a_group_of_faults(tmp_path: Path) -> None:
    _write(tmp_path)
    plan = Plan(
        name="tiny",
        data=tmp_path,
        parts=(Part("tiny", 2, (System("cot(large)"),)),),
        cache=tmp_path / "generations.sqlite",
        results=tmp_path / "results",
        concurrency=2,
    )
    with pytest.raises(EngineUnavailable, match="does not answer"):
        await run(plan, settings_for(tmp_path, "", f"http://127.0.0.1:{free_port()}"), Console(quiet=True))


async def test_two_models_together_are_a_system_like_any_other(tmp_path: Path, scripted: ScriptedServer) -> None:
    _write(tmp_path)
    scripted.script = Script(default=say("It is \\boxed{4}.", continues=True))
    plan = Plan(
        name="pair",
        data=tmp_path,
        parts=(Part("tiny", 2, (System("cot(large)"), System("entropy"))),),
        cache=tmp_path / "generations.sqlite",
        results=tmp_path / "results",
        concurrency=2,
    )
    await run(plan, settings_for(tmp_path, "", scripted.url), Console(quiet=True))
    rows = {row["system"]: row for row in orjson.loads((tmp_path / "results" / "pair.json").read_bytes())["rows"]}
    assert rows["entropy"]["accuracy"] == 0.5
    assert rows["entropy"]["tokens"]["small"]["completion"] > 0


def test_a_missing_data_set_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    _write(tmp_path)
    with pytest.raises(NoQuestions, match=r"no data set 'gsm8k'.*tiny"):
        read_questions(tmp_path, "gsm8k", 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id": "x/2", "question": ', "is no JSON"),
        (b'{"id": "x/2", "question": "?"}', "answer: Field required"),
        (b"[1, 2]", "the line"),
        (b"\xff", "is no JSON"),
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path: Path, line: bytes, said: str) -> None:
    _write(tmp_path)
    path = tmp_path / "tiny.jsonl"
    path.write_bytes(path.read_bytes() + b"\n\n" + line)
    with pytest.raises(NoQuestions, match=r"tiny\.jsonl, line 4") as refused:
        read_questions(tmp_path, "tiny", 10)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (("--system", "program(lrge)"), "program(lrge)"),
        (("--system", "program(large):hgih"), "hgih"),
        (("--dataset", "sudoku"), "sudoku"),
        (("--dataset", "tiny:0"), "tiny:0"),
        (("--dataset", "empty"), "empty"),
    ],
)
def test_what_cannot_be_run_is_refused_before_any_engine_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, ...], named: str
) -> None:
    _write(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    # Without model files: had it come to engines, their files would be missed first.
    monkeypatch.setenv("TANDEM__STORAGE__MODELS", str(tmp_path / "no-models"))
    arguments = ("bench", "--data", str(tmp_path), "--dataset", "tiny", *wrong)
    refused = CliRunner().invoke(build(), arguments)
    assert refused.exit_code == 1 and isinstance(refused.exception, SystemExit)
    assert named in refused.output and "no-models" not in refused.output
