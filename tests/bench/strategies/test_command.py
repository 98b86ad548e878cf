"""A whole small run of the strategies' benchmark over a scripted engine, in one go and in pieces."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from bench.record import models_of
from bench.strategies.aims import aims_of
from bench.strategies.command import main
from bench.strategies.kept import EarlierUnreadable, earlier_rows
from bench.strategies.measuring import Measuring
from bench.strategies.plan import Plan
from bench.strategies.plot import curves, plot, show
from bench.strategies.report import StrategiesReport, StrategyRow, is_vote
from bench.strategies.trials import SINGLE
from orchestrator.settings import Settings
from tests.bench.strategies.rows import QUESTIONS, strategy_row, write_questions
from tests.orchestrator.conftest import settings_for
from workers.engines.errors import EngineError, EngineUnavailable
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer

_VOTING = ("cot", "self-consistency", "short-m", "confidence", "parallel")


def _plan(folder: Path, only: tuple[str, ...] = (), **fields: Any) -> Plan:
    plan = Plan(
        data=folder,
        cache=folder / "cache.sqlite",
        results=folder / "results",
        datasets=("gsm8k_test",),
        models=("small",),
        only=only,
        rows=2,
        samples=3,
        seeds=2,
        concurrency=2,
    )
    return replace(plan, **fields)


async def _run(plan: Plan, settings: Settings, fresh: bool = False) -> StrategiesReport:
    """As the command does it, over engines that answer."""
    console = Console(quiet=True)
    earlier = [] if fresh else earlier_rows(plan.results, settings, console)
    plan.check()
    return await Measuring(plan, settings, console, earlier).run()


def _strategies(report: StrategiesReport) -> dict[str, StrategyRow]:
    return {row.system: row for row in report.rows if not is_vote(row)}


async def test_voting_strategies_share_one_pool_and_stand_beside_the_vote_that_costs_as_much(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    write_questions(tmp_path, "gsm8k_test")
    texts = ("It is \\boxed{4}.", "I think that it must be \\boxed{5}.", "Hm, \\boxed{4}?")
    scripted.script = Script(default=Reply(texts=texts))
    settings = settings_for(tmp_path, "", scripted.url)
    report = await _run(_plan(tmp_path, _VOTING), settings)
    rows = _strategies(report)
    assert set(rows) == {f"{name}(small)" for name in _VOTING} | {"self-consistency of programs(small)"}
    # 2 questions × 2 seeds × 3 samples for all that vote on reasoning, and as many for those that vote on programs; 2
    # greedy answers; short answers have a pool of their own.
    assert scripted.stats.requests == 12 + 12 + 2 + 12
    row = rows["short-m(small)"]
    assert (row.n, row.seeds) == (2, [0, 3])
    assert set(row.extra) >= {"samples", "votes_accuracy", "difference", "against_votes", "chain_tokens"}
    assert set(row.extra) >= {"samples_program", "votes_accuracy_program", "difference_program"}
    assert rows["self-consistency(small)"].extra["samples"] == pytest.approx(3, rel=0.01)
    assert rows["self-consistency of programs(small)"].extra["samples_program"] == pytest.approx(3, rel=0.01)
    assert rows["short-m(small)"].extra["chain_tokens"] < rows["self-consistency(small)"].extra["chain_tokens"]
    again = await _run(_plan(tmp_path, _VOTING), settings)
    assert scripted.stats.requests == 38, "a second run finds every generation"
    assert [row.accuracy for row in again.rows] == [row.accuracy for row in report.rows]
    assert [row.seconds for row in again.rows] == pytest.approx([row.seconds for row in report.rows])
    # The small model alone: nothing has a cost in units of the large one, and no other set was asked.
    assert len(report.aims) == 8
    assert {aim.measured for aim in report.aims} == {"not measured"}
    assert not any(aim.reached for aim in report.aims)
    assert "--model both" in report.aims[0].why
    path = tmp_path / "results" / "strategies.png"
    plot(report, path)
    table = Console(record=True, width=240, file=io.StringIO())
    show(report, table)
    assert "not measured: gsm8k" in table.export_text()
    assert path.stat().st_size > 10_000
    lines = curves(report.rows)
    assert set(lines) == {"vote of cot", "vote of program"}
    assert [cost for cost, _ in lines["vote of cot"]] == pytest.approx([1, 2, 3, 4, 5, 6])
    assert len(lines["vote of program"]) == 6


async def test_a_plan_can_be_measured_piece_by_piece(tmp_path: Path, scripted: ScriptedServer) -> None:
    write_questions(tmp_path, "gsm8k_test")
    scripted.script = Script(default=say("It is \\boxed{4}."))
    settings = settings_for(tmp_path, "", scripted.url)
    first = await _run(_plan(tmp_path, ("cot",), models=("large",), rows=1), settings)
    kept = _strategies(first)["cot(large)"]
    second = await _run(_plan(tmp_path, ("cot", "refine")), settings)
    rows = _strategies(second)
    assert set(rows) == {"cot(large)", "cot(small)", "refine(small)"}
    assert rows["cot(large)"] == kept and kept.commit and kept.created
    votes = {row.system for row in second.rows if is_vote(row)}
    assert votes == {f"vote of {form}({model})" for form in ("cot", "program") for model in ("small", "large")}
    # The yardstick of costs was measured by the first run, on one question.
    assert (kept.cost, kept.n) == (1.0, 1)
    share = settings.models["small"].parameters / settings.models["large"].parameters
    assert rows["cot(small)"].cost == pytest.approx(share)
    assert rows["cot(small)"].extra["reference_rows"] == 1
    assert second.aims[0].measured.startswith("100.0%"), "and it is what the aim rests on"
    third = await _run(_plan(tmp_path, ("cot",), rows=1), settings)
    assert (_strategies(third)["cot(small)"].n, _strategies(third)["refine(small)"].n) == (1, 2)
    assert set(_strategies(await _run(_plan(tmp_path, ("refine",)), settings, fresh=True))) == {"refine(small)"}


async def test_rows_of_other_models_are_not_kept(tmp_path: Path, scripted: ScriptedServer) -> None:
    write_questions(tmp_path, "gsm8k_test")
    settings = settings_for(tmp_path, "", scripted.url)
    await _run(_plan(tmp_path, ("cot",), rows=1), settings)
    other = settings.models["large"].model_copy(update={"sha256": "0" * 64})
    changed = settings.model_copy(update={"models": {**settings.models, "large": other}})
    said = Console(record=True, width=240, file=io.StringIO())
    assert earlier_rows(tmp_path / "results", changed, said) == []
    assert "is of other models" in said.export_text()


async def test_what_was_measured_before_an_engine_went_away_is_in_the_report(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    write_questions(tmp_path, "gsm8k_test")
    (tmp_path / "math500.jsonl").write_bytes(orjson.dumps({**QUESTIONS[0], "question": "Break off: 2 + 2?"}))
    gone = Reply(match="Break off", texts=("It is",), failure="disconnect", failure_after=1)
    scripted.script = Script(replies=(gone,), default=say("It is \\boxed{4}."))
    settings = settings_for(tmp_path, "", scripted.url)
    with pytest.raises(EngineUnavailable):
        await _run(_plan(tmp_path, ("cot",), datasets=("gsm8k_test", "math500")), settings)
    kept = earlier_rows(tmp_path / "results", settings, Console(quiet=True))
    assert {row.dataset for row in kept} == {"gsm8k_test"}


async def test_a_trial_that_an_engine_refuses_loses_none_before_it(tmp_path: Path, scripted: ScriptedServer) -> None:
    write_questions(tmp_path, "gsm8k_test")
    refused = Reply(
        match="Answer each question about the attempt", texts=("It is",), failure="disconnect", failure_after=1
    )
    scripted.script = Script(replies=(refused,), default=say("It is \\boxed{4}."))
    settings = settings_for(tmp_path, "", scripted.url)
    with pytest.raises(EngineError):
        await _run(_plan(tmp_path, ("cot", "critique")), settings)
    kept = earlier_rows(tmp_path / "results", settings, Console(quiet=True))
    assert {row.system for row in kept if not is_vote(row)} == {"cot(small)"}


def test_a_report_from_before_rows_kept_single_answers_is_read(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    old = [
        strategy_row("direct(small)", 0.85, None, "humaneval").model_dump(exclude={"right", "commit", "created"}),
        strategy_row("code(small)", 0.9, None, "humaneval").model_dump(exclude={"right", "commit", "created"}),
    ]
    head = {"bench": "strategies", "created": "2020-01-01T00:00:00Z", "commit": "abc", "machine": "m", "aims": []}
    body = {**head, "models": models_of(settings), "rows": old}
    (tmp_path / "strategies.json").write_bytes(orjson.dumps(body))
    rows = earlier_rows(tmp_path, settings, Console(quiet=True))
    assert [(row.commit, row.created) for row in rows] == [("abc", "2020-01-01T00:00:00Z")] * 2
    report = StrategiesReport(bench="strategies", models=[], aims=aims_of(rows, "small", "large"), rows=rows)
    code = next(aim for aim in report.aims if "code(small) above direct" in aim.aim)
    assert code.measured == "+5.0 points (85.0% → 90.0%), n = 40"
    assert "no interval is known" in code.why
    show(report, Console(quiet=True))
    plot(report, tmp_path / "old.png")
    assert (tmp_path / "old.png").stat().st_size > 10_000


def test_a_file_that_is_no_report_is_named_and_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "strategies.json").write_text('{"rows": 1}')
    with pytest.raises(EarlierUnreadable, match=r"strategies\.json.*--fresh"):
        earlier_rows(tmp_path, settings_for(tmp_path, "", ""), Console(quiet=True))


@pytest.mark.parametrize(
    ("wrong", "named"), [(("--only", "telepathy"), "telepathy"), (("--dataset", "sudoku"), "sudoku"), ((), "math500")]
)
def test_what_cannot_be_measured_is_refused_before_any_engine_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, ...], named: str
) -> None:
    write_questions(tmp_path, "gsm8k_test")
    monkeypatch.setenv("TANDEM__STORAGE__MODELS", str(tmp_path / "no-models"))
    folders = ("--data", str(tmp_path), "--results", str(tmp_path / "results"))
    monkeypatch.setattr("sys.argv", ["strategies", *folders, *wrong])
    with pytest.raises(SystemExit) as refused:
        main()
    assert named in str(refused.value) and "no-models" not in str(refused.value)


async def test_a_single_sample_is_drawn_as_resampling_draws_with_three_seeds(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    task = {
        "id": "h/0",
        "question": 'def total(xs):\n    """Add."""\n',
        "answer": "",
        "kind": "code",
        "answer_type": "code",
        "prompt": "def total(xs):\n",
        "test": "def check(candidate):\n    assert candidate([1, 2]) == 3\n",
        "entry_point": "total",
    }
    (tmp_path / "humaneval.jsonl").write_bytes(orjson.dumps(task))
    code = "```python\ndef total(xs):\n    return {}(xs)\n```"
    scripted.script = Script(default=Reply(texts=(code.format("max"), code.format("sum"), code.format("max"))))
    settings = settings_for(tmp_path, "", scripted.url)
    report = await _run(_plan(tmp_path, ("direct", SINGLE), datasets=("humaneval",), seeds=1), settings)
    rows = _strategies(report)
    assert set(rows) == {"direct(small)", "single sample(small)"}
    assert rows["direct(small)"].seeds == [0] and rows["direct(small)"].accuracy == 0.0
    # A variation has a name of its own, and is left out where the strategy alone is asked for.
    alone = await _run(_plan(tmp_path, ("direct",), datasets=("humaneval",), seeds=1), settings, fresh=True)
    assert set(_strategies(alone)) == {"direct(small)"}
    single = rows["single sample(small)"]
    assert (len(single.seeds), single.n) == (3, 1)
    assert 0 < single.accuracy < 1, "three draws, which the cache tells apart from each other and the greedy answer"
    assert single.right == {"h/0": single.accuracy}


async def test_what_a_verifier_chooses_is_measured_beside_what_the_votes_choose(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    write_questions(tmp_path, "gsm8k_test")
    judged = Reply(match="an answer that somebody else gave", texts=("Yes",))
    scripted.script = Script(replies=(judged,), default=Reply(texts=("It is \\boxed{4}.", "It is \\boxed{5}.")))
    settings = settings_for(tmp_path, "", scripted.url)
    voted = await _run(_plan(tmp_path, ("parallel",)), settings)
    assert set(_strategies(voted)) == {"parallel(small)"}, "a verifier is asked for by name"
    chosen = await _run(_plan(tmp_path, ("parallel with judge",)), settings)
    rows = _strategies(chosen)
    assert set(rows) == {"parallel(small)", "parallel with judge(small)"}
    assert "large" in rows["parallel with judge(small)"].tokens, "the judge is the large model"
    assert "large" not in rows["parallel(small)"].tokens
