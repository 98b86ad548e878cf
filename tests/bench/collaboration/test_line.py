"""Accuracy above random mixing of the two models."""

import pytest

from bench.collaboration.line import Outcome, distance_above_line
from tests.bench.collaboration.answers import outcomes_with


def test_mixing_at_random_is_on_the_line_and_the_interval_holds_it() -> None:
    small = [Outcome(index < 30, 100, 0) for index in range(100)]
    large = [Outcome(index < 50, 100, 100) for index in range(100)]
    mixed = [Outcome(index < 40, 100, 50) for index in range(100)]
    distance = distance_above_line(mixed, [small, large])
    assert distance.above == pytest.approx(0.0)
    assert distance.low <= 0.0 <= distance.high
    assert not distance.decided


def test_a_policy_as_good_as_the_large_model_with_few_of_its_tokens_is_above_the_line() -> None:
    small = [Outcome(index < 30, 100, 0) for index in range(100)]
    large = [Outcome(index < 70, 100, 100) for index in range(100)]
    good = [Outcome(index < 70, 100, 20) for index in range(100)]
    distance = distance_above_line(good, [small, large])
    assert distance.above == pytest.approx(0.7 - (0.3 + 0.2 * 0.4))
    assert 0 < distance.low < distance.above < distance.high
    assert distance.decided


def test_shares_weigh_by_tokens_and_not_by_answers() -> None:
    small, large = [Outcome(False, 10, 0)] * 2, [Outcome(True, 10, 10)] * 2
    uneven = [Outcome(True, 90, 90), Outcome(False, 10, 0)]
    assert distance_above_line(uneven, [small, large]).above == pytest.approx(0.5 - 0.9)


def test_outcomes_of_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="same questions"):
        distance_above_line([Outcome(True, 1, 1)], [[], []])


@pytest.mark.parametrize(("share", "on_line"), [(10, 0.35), (30, 0.5), (60, 0.6), (100, 0.6)])
def test_a_line_goes_through_all_its_points_whatever_their_order(share: int, on_line: float) -> None:
    points = [outcomes_with(60, 100), outcomes_with(30, 0), outcomes_with(60, 40), outcomes_with(40, 20)]
    assert distance_above_line(outcomes_with(50, share), points).above == pytest.approx(0.5 - on_line)


def test_a_line_is_flat_beyond_its_ends() -> None:
    points = [outcomes_with(30, 20), outcomes_with(60, 80)]
    assert distance_above_line(outcomes_with(50, 0), points).above == pytest.approx(0.2)
    assert distance_above_line(outcomes_with(50, 100), points).above == pytest.approx(-0.1)
