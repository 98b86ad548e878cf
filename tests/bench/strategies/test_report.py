"""The yardstick of strategies: votes that cost as much."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from agents.problem import Evidence
from bench.pooled import Pool, PoolVote
from bench.solving import Solved
from bench.strategies.plot import show
from bench.strategies.report import Outcome, Pools, StrategiesReport, row, vote_rows
from orchestrator.settings import Settings
from tests.bench.strategies.rows import question_with
from tests.orchestrator.conftest import settings_for
from workers.usage import Usage


def _vote(party: int | None, right: bool, cost: float = 10.0) -> PoolVote:
    return PoolVote(party, right, cost)


def _pool(votes: list[list[PoolVote]]) -> Pool:
    count = sum(map(len, votes))
    return Pool(votes, Usage(completion=10 * count), seconds=float(count))


def test_the_vote_of_a_whole_pool_is_its_majority_and_of_one_sample_the_mean() -> None:
    pool = _pool([[_vote(0, True), _vote(0, True), _vote(1, False), _vote(None, False)]])
    assert pool.cost == 10
    assert pool.majority(4) == [1.0]
    assert pool.majority(1)[0] == pytest.approx(0.5, abs=0.2)
    one, two, between = pool.majority(1)[0], pool.majority(2)[0], pool.majority(1.5)[0]
    assert between == pytest.approx((one + two) / 2)
    assert pool.majority(99) == pool.majority(4)


def _outcome(completion: int, every: int = 1) -> Outcome:
    """Forty answers of so many tokens by the small model, of which one in ``every`` is right."""
    solved = [
        Solved(
            question=question_with(id=str(number)),
            value="1",
            correct=number % every == 0,
            tokens={"small": Usage(completion=completion)},
            routes=(),
            evidence=Evidence(),
            seconds=0.0,
        )
        for number in range(40)
    ]
    return Outcome("small", "gsm8k_test", "refine", (0,), (tuple(solved),))


def _same_pool(settings: Settings, samples: int, right: bool, tokens: int = 10, questions: int = 40) -> Pool:
    """Samples of so many written tokens each, all of them right or all wrong."""
    cost = tokens * settings.models["small"].parameters
    return _pool([[_vote(0, right, cost)] * samples] * questions)


def test_a_strategy_wins_only_against_a_vote_that_costs_as_much(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    pools: Pools = {"cot": _same_pool(settings, 4, right=False)}
    equal = row(_outcome(40), pools, settings)
    assert (equal.extra["samples"], equal.extra["votes_samples"]) == (pytest.approx(4), pytest.approx(4))
    assert (equal.extra["beyond_pool"], equal.extra["against_votes"]) == (0.0, 1.0)
    dearer = row(_outcome(70), pools, settings)
    assert (dearer.extra["samples"], dearer.extra["votes_samples"]) == (pytest.approx(7), pytest.approx(4))
    assert (dearer.extra["beyond_pool"], dearer.extra["against_votes"]) == (1.0, 0.0)
    shown = Console(record=True, width=240, file=io.StringIO())
    show(StrategiesReport(bench="strategies", models=[], rows=[equal, dearer], aims=[]), shown)
    first, second = [line for line in shown.export_text().splitlines() if "refine(small)" in line]
    assert "0.000 of 4.0" in first and "wins" in first
    assert "0.000 of 4.0" in second and "costs more than the pool" in second and "wins" not in second


def test_a_strategy_that_beats_the_vote_of_reasoning_still_has_to_beat_that_of_programs(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    reasoning, programs = _same_pool(settings, 4, right=False), _same_pool(settings, 8, right=True, tokens=5)
    half = _outcome(20, every=2)
    alone = row(half, {"cot": reasoning}, settings)
    assert alone.extra["against_votes"] == 1.0
    both = row(half, {"cot": reasoning, "program": programs}, settings)
    assert (both.extra["samples"], both.extra["samples_program"]) == (pytest.approx(2), pytest.approx(4))
    assert (both.extra["votes_accuracy"], both.extra["votes_accuracy_program"]) == (0.0, 1.0)
    assert both.extra["against_votes"] == -1.0
    small: Pools = {"cot": reasoning, "program": _same_pool(settings, 2, right=False, tokens=5)}
    assert row(half, small, settings).extra["against_votes"] == 0.0, "the pool of programs is too small to tell"
    shown = Console(record=True, width=240, file=io.StringIO())
    show(StrategiesReport(bench="strategies", models=[], rows=[both], aims=[]), shown)
    line = next(line for line in shown.export_text().splitlines() if "refine(small)" in line)
    assert "0.000 of 2.0" in line and "1.000 of 4.0" in line and "loses" in line


def test_votes_have_rows_by_how_many_vote(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "", "")
    pools: Pools = {"cot": _same_pool(settings, 3, right=True), "program": _same_pool(settings, 2, False, tokens=5)}
    rows = vote_rows("gsm8k_test", "small", pools, settings)
    assert [(one.system, one.setting, one.accuracy) for one in rows] == [
        ("vote of cot(small)", "1", 1.0),
        ("vote of cot(small)", "2", 1.0),
        ("vote of cot(small)", "3", 1.0),
        ("vote of program(small)", "1", 0.0),
        ("vote of program(small)", "2", 0.0),
    ]
    two = rows[1]
    assert (two.n, two.tokens["small"].completion, two.seconds) == (40, 2 * 40 * 10, 2 * 40)
    assert rows[-1].extra["samples"] == pytest.approx(1), "two programs cost as much as one sample of reasoning"
