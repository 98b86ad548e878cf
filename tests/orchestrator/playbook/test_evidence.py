"""The guard, on entries whose truth is known: twenty seeded simulations of each kind."""

import pytest

from orchestrator.playbook.entry import Entry
from orchestrator.playbook.evidence import Gain, Stakes, added, judged, paired, randomised
from orchestrator.playbook.simulation import Truth, simulate
from tests.orchestrator.playbook.building import behaviour, recipe

_SEEDS = range(20)
_IN_SHADOW, _EXPLORING = None, 0.5


@pytest.mark.parametrize("share", [_IN_SHADOW, _EXPLORING])
@pytest.mark.parametrize(
    "truth",
    [
        Truth(rate=0.45, default_rate=0.6),
        Truth(rate=0.45, default_rate=0.6, cost=0.7),
        Truth(rate=0.9, default_rate=0.9, cost=1.3),
    ],
)
def test_a_bad_behaviour_is_never_promoted(truth: Truth, share: float | None) -> None:
    judgements = [simulate(behaviour("owner"), truth, seed=seed, share=share) for seed in _SEEDS]
    assert [judgement.promoted for judgement in judgements] == [None] * 20


@pytest.mark.parametrize("share", [_IN_SHADOW, _EXPLORING])
def test_a_lucky_recipe_is_never_promoted(share: float | None) -> None:
    """As good as the default, and right five times in a row at first."""
    truth = Truth(rate=0.6, default_rate=0.6, lucky=5)
    judgements = [simulate(recipe("owner", rank=2), truth, seed=seed, share=share) for seed in _SEEDS]
    assert [judgement.promoted for judgement in judgements] == [None] * 20


def test_the_luckiest_of_many_is_not_promoted_either() -> None:
    for seed in _SEEDS:
        crowd = [recipe("owner", rank=rank) for rank in range(1, 13)]
        judgements = [
            simulate(entry, Truth(0.6, 0.6), seed=100 * seed + entry.rank, outcomes=100, share=_EXPLORING)
            for entry in crowd
        ]
        assert not any(judgement.promoted for judgement in judgements)


@pytest.mark.parametrize(
    ("truth", "within"),
    [
        (Truth(rate=0.8, default_rate=0.6), 150),
        (Truth(rate=1.0, default_rate=1.0, cost=0.2), 40),
        (Truth(rate=1.0, default_rate=1.0, cost=0.75), 100),
    ],
)
def test_a_good_entry_is_promoted(truth: Truth, within: int) -> None:
    taken = [simulate(recipe("owner"), truth, seed=seed).promoted for seed in _SEEDS]
    assert all(taken)
    assert sorted(number for number in taken if number is not None)[10] <= within


def test_a_good_entry_that_turns_bad_is_demoted() -> None:
    good, bad = Truth(rate=0.8, default_rate=0.6), Truth(rate=0.4, default_rate=0.6)
    judgements = [simulate(recipe("owner"), good, seed=seed, outcomes=1500, afterwards=bad) for seed in _SEEDS]
    waits = [judgement.demoted - judgement.promoted for judgement in judgements if judgement.promoted]  # type: ignore[operator]
    assert len(waits) == 20
    assert sorted(waits)[10] < 200


def test_what_saves_but_loses_answers_is_not_promoted() -> None:
    entry = recipe("owner")
    for number in range(200):
        lost = number % 10 == 9
        gain = paired(not lost, 1.0, default_won=True, default_cost=8.0, stakes=Stakes())
        entry = _after(entry, gain)
    assert judged(entry, Stakes()) is None


def test_later_candidates_need_more_evidence() -> None:
    gain = paired(True, 1.0, default_won=True, default_cost=4.0, stakes=Stakes())
    taken = []
    for rank in (1, 10):
        entry, count = recipe("owner", rank=rank), 0
        while judged(entry, Stakes()) != "promote":
            entry, count = _after(entry, gain), count + 1
        taken.append(count)
    assert taken[0] < taken[1] < 3 * taken[0]


def test_a_disabled_entry_stays_so() -> None:
    entry = recipe("owner", status="disabled")
    for _ in range(300):
        entry = _after(entry, Gain(right=1.0, total=1.0))
    assert judged(entry, Stakes()) is None


def test_chance_decides_without_bias_whatever_the_share() -> None:
    """The weighted differences of both arms sum to nothing where the entry changes nothing."""
    for share in (0.5, 0.9):
        both = [
            share * randomised(1.0, 2.0, used=True, share=share, **_DEFAULT).total,
            (1 - share) * randomised(1.0, 2.0, used=False, share=share, **_DEFAULT).total,
        ]
        assert sum(both) == pytest.approx(0.0)


def test_a_candidate_that_only_loses_is_given_up_after_a_few_trials_and_one_in_use_is_not() -> None:
    lost = paired(won=False, cost=8.0, default_won=True, default_cost=2.0, stakes=Stakes())
    for status, expected in (("candidate", "demote"), ("promoted", None)):
        entry = recipe("owner", status=status)
        for _ in range(4):
            assert judged(entry, Stakes()) is None
            entry = _after(entry, lost)
        assert judged(entry, Stakes()) == expected
    unsure = recipe("owner")
    for won in (False, True, False, True):
        unsure = _after(unsure, paired(won=won, cost=1.0, default_won=True, default_cost=2.0, stakes=Stakes()))
    assert judged(unsure, Stakes()) is None


_DEFAULT: dict = {"default_rate": 0.6, "default_cost": 3.0, "stakes": Stakes()}


def _after(entry: Entry, gain: Gain) -> Entry:
    return entry.model_copy(update={"evidence": added(entry.evidence, gain)})
