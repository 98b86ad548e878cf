"""What tokens must take, from what they cost."""

import pytest

from bench.collaboration.costs import EngineCosts, needed_seconds
from tests.bench.collaboration.answers import COSTS
from workers.usage import Usage


def test_what_tokens_must_take_counts_only_what_was_not_cached() -> None:
    usage = {"small": Usage(prompt=150, cached=50, completion=10), "large": Usage(prompt=100, cached=100, completion=5)}
    needed = needed_seconds(usage, {"small": 1, "large": 1}, COSTS)
    assert needed == pytest.approx(9 * 0.02 + 100 * 0.002 + 4 * 0.08)


def test_the_first_token_of_every_call_comes_out_of_its_reading() -> None:
    usage = {"large": Usage(prompt=100, completion=30)}
    once, ten = (needed_seconds(usage, {"large": calls}, COSTS) for calls in (1, 10))
    assert once == pytest.approx(29 * 0.08 + 100 * 0.008)
    assert ten == pytest.approx(20 * 0.08 + 10 * (0.08 + 9 / 99 * 0.72)), "ten chunks of ten tokens"
    assert needed_seconds({"large": Usage()}, {"large": 1}, COSTS) == 0.0, "a call that ended at once"


def test_reading_costs_lie_between_those_of_the_measured_sizes() -> None:
    costs = EngineCosts(decode=1.0, read={1: 1.0, 100: 0.1})
    assert costs.read_seconds(100, 100) == pytest.approx(100.0)
    assert costs.read_seconds(100, 10) == pytest.approx(10 * (1.0 + 9 / 99 * 9.0))
    assert costs.read_seconds(5000, 1) == pytest.approx(500.0)
    assert costs.read_seconds(0, 3) == 0.0


def test_it_makes_no_difference_how_what_is_read_is_spread_over_the_calls() -> None:
    # A chunk takes 16 ms and 4 ms for each of its tokens.
    costs = EngineCosts(decode=0.02, read={size: (0.016 + 0.004 * size) / size for size in (1, 8, 32, 192)})
    one_by_one = sum(costs.read_seconds(size, 1) for size in (120, *[2] * 60))
    assert costs.read_seconds(240, 61) == pytest.approx(one_by_one) == pytest.approx(61 * 0.016 + 240 * 0.004)
