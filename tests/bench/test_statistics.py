"""Intervals against published values, and pairing."""

import pytest

from bench.statistics import paired_difference, wilson


def test_wilson_interval_of_52_in_100() -> None:
    low, high = wilson(52, 100)
    assert (low, high) == pytest.approx((0.4232, 0.6154), abs=2e-4)


@pytest.mark.parametrize("correct", [0, 10])
def test_wilson_stays_within_zero_and_one(correct: int) -> None:
    low, high = wilson(correct, 10)
    assert 0 <= low < high <= 1


def test_equal_answers_differ_by_nothing_with_no_doubt() -> None:
    assert paired_difference([True, False], [True, False]) == (0.0, (0.0, 0.0))


def test_pairing_sees_what_two_intervals_do_not() -> None:
    worse = [True] * 50 + [False] * 50
    better = [True] * 60 + [False] * 40
    mean, (low, high) = paired_difference(better, worse)
    assert mean == pytest.approx(0.1)
    assert 0 < low < high < 0.2
