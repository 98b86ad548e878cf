"""A whole small benchmark: the report's shape, its arithmetic, and that a second run generates nothing."""

from pathlib import Path

import orjson
import pytest
from rich.console import Console

from bench.main_job import Part, System
from bench.questions import NoQuestions, read_questions
from bench.run import Plan, run
from tests.orchestrator.conftest import settings_for
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
    await run(plan, settings, Console(quiet=True))
    assert scripted.stats.requests == generated


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
