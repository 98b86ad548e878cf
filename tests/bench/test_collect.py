"""Collecting outcomes: what is kept, that a second run asks nothing, and that the cache alone may be enough."""

from pathlib import Path

import orjson
import pytest
from rich.console import Console
from typer.testing import CliRunner

from bench.collect import Collected, Job, Plan, collect
from bench.questions import spread_questions
from orchestrator.outcomes.store import OutcomeStore
from orchestrator.settings import Settings
from tests.orchestrator.conftest import settings_for
from web.cli.main import build
from workers.engines.errors import EngineError
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

_PROGRAM = Job("tiny", "program(large)", rows=2)


def _write(folder: Path) -> None:
    rows = [
        {"id": "tiny/1", "question": "What is 2 + 2?", "answer": "4", "kind": "math", "answer_type": "number"},
        {
            "id": "tiny/2",
            "question": "What is 2 + 3?",
            "answer": "5",
            "kind": "math",
            "answer_type": "number",
            "split_key": "tiny/1",
        },
    ]
    (folder / "tiny.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows))


def _plan(folder: Path, *jobs: Job, cached_only: bool = False) -> Plan:
    return Plan(folder, jobs, folder / "generations.sqlite", concurrency=2, cached_only=cached_only)


@pytest.fixture
def ready(tmp_path: Path, scripted: ScriptedServer) -> Settings:
    _write(tmp_path)
    scripted.script = Script(
        replies=(say("```python\nprint(4)\n```", match="Python program"),), default=say("It is \\boxed{4}.")
    )
    return settings_for(tmp_path, "", scripted.url)


async def _collect(plan: Plan, settings: Settings) -> Collected:
    return await collect(plan, settings, OutcomeStore(plan.data / "outcomes"), Console(quiet=True))


async def test_outcomes_say_what_a_router_needs(tmp_path: Path, ready: Settings) -> None:
    collected = await _collect(_plan(tmp_path, _PROGRAM), ready)
    first, second = sorted(OutcomeStore(tmp_path / "outcomes").read(), key=lambda one: one.id)
    assert collected == Collected(added=2)
    assert (first.id, first.family, first.form, first.value) == ("tiny/1", "tiny", "number", "4")
    assert (first.correct, second.correct) == (True, False)
    assert first.split_key == second.split_key == "tiny/1"
    assert first.tokens["large"].completion > 0 and set(first.tokens) == {"large"}
    assert first.evidence.program_ran and first.evidence.mean_logprob is not None
    assert "steps of" in first.build and first.question == "What is 2 + 2?"


async def test_a_second_run_asks_nothing_and_further_seeds_ask_only_for_themselves(
    tmp_path: Path, ready: Settings, scripted: ScriptedServer
) -> None:
    await _collect(_plan(tmp_path, _PROGRAM), ready)
    generated = scripted.stats.requests
    assert await _collect(_plan(tmp_path, _PROGRAM), ready) == Collected(before=2)
    assert scripted.stats.requests == generated
    seeded = Job("tiny", "program(large)", rows=2, seeds=3)
    assert await _collect(_plan(tmp_path, seeded), ready) == Collected(added=4, before=2)
    assert scripted.stats.requests == generated + 4


async def test_an_engine_that_goes_away_ends_it_and_leaves_what_was_answered(tmp_path: Path) -> None:
    _write(tmp_path)
    with ScriptedServer(Script(default=say("It is \\boxed{4}."))) as server:
        settings = settings_for(tmp_path, "", server.url)
        await _collect(_plan(tmp_path, Job("tiny", "cot(large)", rows=1)), settings)
    store = OutcomeStore(tmp_path / "later")
    with pytest.raises(EngineError):
        await collect(_plan(tmp_path, Job("tiny", "cot(large)", rows=2)), settings, store, Console(quiet=True))
    assert [one.id for one in store.read()] == ["tiny/1"], "its answer was in the cache of generations"


async def test_of_a_file_that_is_sorted_by_subject_every_subject_is_asked(tmp_path: Path) -> None:
    rows = [
        {"id": f"{subject}/{number}", "question": "?", "answer": "4", "kind": "math", "answer_type": "number"}
        | {"subject": subject}
        for subject in ("algebra", "geometry", "numbers")
        for number in range(3)
    ]
    (tmp_path / "sorted.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    four = [question.id for question in spread_questions(tmp_path, "sorted", 4)]
    assert four == ["algebra/0", "geometry/0", "numbers/0", "algebra/1"]
    assert len(spread_questions(tmp_path, "sorted", 100)) == 9


async def test_of_a_file_whose_unanswerable_questions_come_last_both_halves_are_asked(tmp_path: Path) -> None:
    kinds = [("number", "4")] * 5 + [("label", "unanswerable")] * 5
    rows = [
        {"id": f"{kind}/{number}", "question": "?", "answer": answer, "kind": "underspecified", "answer_type": kind}
        for number, (kind, answer) in enumerate(kinds)
    ]
    (tmp_path / "halves.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    asked = [question.id for question in spread_questions(tmp_path, "halves", 4)]
    assert asked == ["number/0", "label/5", "number/1", "label/6"]
    known = spread_questions(tmp_path, "halves", 4, lambda question: question.answer_type == "number")
    assert [question.id for question in known] == ["number/0", "number/1", "number/2", "number/3"]


async def test_with_the_cache_alone_nothing_is_generated(
    tmp_path: Path, ready: Settings, scripted: ScriptedServer
) -> None:
    await _collect(_plan(tmp_path, Job("tiny", "cot(large)", rows=1)), ready)
    generated = scripted.stats.requests
    plan = _plan(tmp_path, Job("tiny", "cot(large)", rows=2), _PROGRAM, cached_only=True)
    assert await _collect(plan, ready) == Collected(before=1, left=3)
    assert scripted.stats.requests == generated


async def test_where_an_engine_runs_makes_no_other_outcome(tmp_path: Path, ready: Settings) -> None:
    await _collect(_plan(tmp_path, _PROGRAM), ready)
    with ScriptedServer(Script(default=say("It is \\boxed{4}."))) as elsewhere:
        moved = settings_for(tmp_path, "", elsewhere.url)
        assert await _collect(_plan(tmp_path, _PROGRAM), moved) == Collected(before=2)


async def test_an_attempt_by_another_build_is_another_outcome(tmp_path: Path, ready: Settings) -> None:
    await _collect(_plan(tmp_path, _PROGRAM), ready)
    assert await _collect(_plan(tmp_path, _PROGRAM), ready.with_threads(3)) == Collected(added=2)


def test_the_command_line_names_what_it_does_not_know(tmp_path: Path) -> None:
    _write(tmp_path)
    for wrong, named in (
        (["--route", "telepathy(large)"], "telepathy"),
        (["--route", "program(large):many"], "many"),
        (["--dataset", "sudoku"], "sudoku"),
    ):
        command = ["bench", "collect", "--cached-only", "--data", str(tmp_path), "--out", str(tmp_path / "o"), *wrong]
        result = CliRunner().invoke(build(), command)
        assert result.exit_code == 1 and named in result.output


def test_bench_without_a_further_command_is_the_benchmark_itself(tmp_path: Path) -> None:
    result = CliRunner().invoke(build(), ["bench", "--data", str(tmp_path / "nowhere")])
    assert result.exit_code == 1 and "nowhere" in result.output
