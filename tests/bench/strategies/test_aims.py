"""Aims of the strategies, judged on their rows."""

import pytest

from agents.problem import Answer
from agents.sampling import Sample
from bench.pooled import pool_of
from bench.record import Aim
from bench.solving import Drawn
from bench.strategies.report import StrategyRow
from tests.bench.strategies.rows import aim_among, question_with, strategy_row
from workers.engines.protocol import Token
from workers.usage import Usage


def _gsm8k_aim(*rows: StrategyRow) -> Aim:
    return aim_among("gsm8k", *rows)


def test_the_best_of_many_says_of_how_many_it_is_the_best() -> None:
    rows = [
        strategy_row("cot(large)", 0.55, 1.0),
        strategy_row("program(small)", 0.64, 0.3),
        strategy_row("refine(large)", 0.8, 3.0),
    ]
    aim = _gsm8k_aim(*rows)
    assert aim.reached
    assert aim.measured.startswith("64.0%")
    assert "the best of 2 systems on the same questions" in aim.measured


def test_an_aim_that_was_not_measured_says_so_and_why() -> None:
    aim = _gsm8k_aim(strategy_row("program(small)", 0.64, None))
    assert (aim.measured, aim.reached) == ("not measured", False)
    assert "run with --model both" in aim.why
    assert _gsm8k_aim(strategy_row("refine(large)", 0.8, 3.0)).why == "nothing that was run stays within that cost"
    asking = aim_among("umwp")
    assert (asking.measured, asking.reached) == ("not measured", False)
    assert (
        "the first 20 to 40 questions"
        in _gsm8k_aim(strategy_row("a", 0.5, 0.5), strategy_row("b", 0.6, 0.6, n=20)).measured
    )


def _right(rights: int, n: int = 40, first: int = 0) -> dict[str, float]:
    return {f"q/{number}": float(number < rights) for number in range(first, n)}


def test_a_gain_is_paired_over_the_questions_that_both_were_asked() -> None:
    base = strategy_row("direct(small)", 0.5, None, "humaneval", right=_right(20))
    better = strategy_row("code(small)", 0.625, None, "humaneval", right=_right(25))
    aim = aim_among("humaneval: code(small) above direct", base, better)
    assert aim.measured == "+12.5 points [+2.1, +22.9] (50.0% → 62.5%), n = 40, paired"
    assert (aim.reached, aim.why) == (True, "its interval excludes 0")
    few = strategy_row("code(small)", 0.5, None, "humaneval", right=_right(11, n=20), n=20)
    fewer = aim_among("humaneval: code(small) above direct", base, few)
    assert fewer.measured.startswith("-45.0 points") and "n = 20, paired" in fewer.measured
    others = strategy_row("code(small)", 0.5, None, "humaneval", right={"p/1": 1.0})
    assert "different questions" in aim_among("humaneval: code(small) above direct", base, others).why


def test_a_point_that_may_be_chance_reaches_the_aim_and_says_so() -> None:
    base = strategy_row("single sample(small)", 0.5, None, "humaneval", right={"a": 1.0, "b": 1 / 3, "c": 0.0})
    better = strategy_row("code(small)", 0.5, None, "humaneval", right={"a": 0.0, "b": 1.0, "c": 1.0})
    aim = aim_among("humaneval: code(small) above single sample", base, better)
    assert (aim.reached, aim.why) == (True, "its interval includes 0")
    assert not aim_among("humaneval: code(small) above direct", base, better).reached, "it was not run"


def test_votes_are_compared_with_each_other_and_with_the_answer() -> None:
    values = ("0.5", "7", "1/2", None)
    answers = [Answer(text="", value=value, strategy="cot", model="small") for value in values]
    drawn = [
        Drawn(Sample(index, answer, (Token(0, "x"),)), Usage(prompt=100, completion=20), seconds=1.5)
        for index, answer in enumerate(answers)
    ]
    pool = pool_of([question_with(answer="1/2", answer_type="number")], [drawn], parameters=2.0)
    [votes] = pool.votes
    assert (pool.usage, pool.seconds) == (Usage(prompt=400, completion=80), 6.0)
    assert [vote.right for vote in votes] == [True, False, True, False]
    assert votes[0].party == votes[2].party != votes[1].party
    assert votes[3].party is None
    assert votes[0].cost == pytest.approx((100 * 0.1 + 20) * 2)
