"""The guard, on entries whose truth is known: seeded simulations of each kind."""

import math
from itertools import permutations

import pytest

from orchestrator.playbook.entry import KINDS, Entry, Evidence
from orchestrator.playbook.evidence import (
    BETS,
    Gain,
    Stakes,
    added,
    counts_everywhere,
    fits,
    judged,
    needed,
    paired,
    randomised,
    together,
)
from orchestrator.playbook.simulation import Truth, runs_until_demoted, simulate, simulate_together
from orchestrator.settings_playbook import PlaybookSettings
from tests.orchestrator.playbook.building import behaviour, recipe

_SEEDS = range(20)
_MANY = range(80)
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
    judgements = [simulate(behaviour("owner"), truth, seed=seed, share=share) for seed in _MANY]
    assert [judgement.promoted for judgement in judgements] == [None] * 80


@pytest.mark.parametrize("kept", [0.6, 0.8])
@pytest.mark.parametrize("lucky", [0, 8])
def test_a_recipe_that_loses_more_than_it_may_is_never_promoted_in_shadow(kept: float, lucky: int) -> None:
    """It costs a fifth, and was right eight times in a row at first."""
    truth = Truth.of_recipe_in_shadow(kept, lucky=lucky)
    judgements = [simulate(recipe("owner"), truth, seed=seed, outcomes=1000) for seed in _MANY]
    assert [judgement.promoted for judgement in judgements] == [None] * 80
    assert sum(judgement.demoted is not None for judgement in judgements) == 80, "and makes room for others"


def test_a_recipe_that_loses_as_much_as_it_may_is_not_promoted_either() -> None:
    truth = Truth.of_recipe_in_shadow(0.9)
    assert all(simulate(recipe("owner"), truth, seed=seed, outcomes=1500).promoted is None for seed in _SEEDS)


@pytest.mark.parametrize("lucky", [0, 4])
def test_nor_is_one_that_loses_in_every_topic_however_many_there_are(lucky: int) -> None:
    truths = [Truth.of_recipe_in_shadow(0.8, lucky=lucky)] * 6
    judged_there = [simulate_together(recipe("owner"), truths, seed=seed, outcomes=1500) for seed in _SEEDS]
    assert all(judgement.promoted is None for there in judged_there for judgement in there)


def test_a_recipe_is_proved_by_all_topics_and_kept_from_the_one_where_it_fails() -> None:
    good, bad = Truth.of_recipe_in_shadow(0.99, default_rate=0.6), Truth.of_recipe_in_shadow(0.6)
    judged_there = [simulate_together(recipe("owner"), [*[good] * 4, bad], seed=seed) for seed in _SEEDS]
    taken = sorted(max(judgement.promoted or 9999 for judgement in there[:4]) for there in judged_there)
    assert taken[10] <= 110, "of which the one where it fails took some"
    assert taken[-1] <= 200
    assert all(there[4].promoted is None and there[4].demoted is not None for there in judged_there)


def test_no_topic_needs_more_than_its_share_of_the_trials() -> None:
    """Of a family in a stream there are some 25 questions: alone they prove nothing."""
    truth = Truth.of_recipe_in_shadow(1.0, default_rate=0.7)
    assert all(simulate(recipe("owner"), truth, seed=seed, outcomes=30).promoted is None for seed in _SEEDS)
    for seed in _SEEDS:
        there = simulate_together(recipe("owner"), [truth] * 4, seed=seed, outcomes=70)
        assert all(judgement.promoted for judgement in there)


def test_outcomes_count_in_other_topics_only_where_those_before_them_speak_for_the_recipe() -> None:
    """Whether one counts is known before it is: choosing afterwards would make luck of it."""
    kept, lost = (paired(won, 1.0, True, 4.0, Stakes()) for won in (True, False))
    entry, counted = recipe("owner"), []
    for gain in (kept, kept, lost, *[kept] * 8):
        counted.append(counts_everywhere(entry, Stakes()))
        entry = _after(entry, gain)
    # The loss itself counts; after it the topic has to show that one in ten is all that is lost.
    assert counted == [False, False, True, *[False] * 7, True]
    elsewhere, again = (entry.model_copy(update=update) for update in ({"topic": "other"}, {"rank": 2}))
    twice = tuple(2 * value for value in entry.evidence.pooled)
    assert together([again, elsewhere, entry]).gains == twice, "of the same topic, and of the same questions, once"
    assert not counts_everywhere(behaviour("owner", evidence=entry.evidence), Stakes()), "it is of its topic"


def test_what_topics_prove_together_is_to_the_last_bit_the_same_in_any_order() -> None:
    """A sum of fractions is not, and whether it reaches a threshold decides what is tried next."""
    entries = [
        recipe("owner", topic=f"topic{number}", created=float(number), evidence=Evidence(pooled=(number / 10,)))
        for number in range(1, 5)
    ]
    assert {together(order).gains for order in permutations(entries)} == {together(entries).gains}


def test_what_is_proved_elsewhere_is_used_where_a_few_outcomes_of_its_own_speak_for_it() -> None:
    kept, lost, dear = (
        paired(won, cost, True, 4.0, Stakes()) for won, cost in ((True, 1.0), (False, 1.0), (True, 5.0))
    )
    elsewhere = recipe("owner", topic="other")
    for _ in range(80):
        elsewhere = _after(elsewhere, kept)
    for gains, change in (
        ([kept] * 5, None),
        ([kept] * 6, "promote"),
        ([lost, *[kept] * 8], None),
        ([lost, *[kept] * 9], "promote"),
        ([dear] * 6, None),
    ):
        entry = recipe("owner")
        for gain in gains:
            entry = _after(entry, gain)
        assert judged(entry, Stakes(), together([elsewhere, entry])) == change
        assert fits(entry.evidence, Stakes()) == (change == "promote")
        assert judged(entry, Stakes()) is None, "alone it has proved nothing"


def test_a_behaviour_that_spoils_what_was_right_is_never_promoted_in_shadow() -> None:
    truth = Truth(rate=0.8, default_rate=0.95, cost=0.5)
    judgements = [simulate(behaviour("owner"), truth, seed=seed) for seed in _MANY]
    assert [judgement.promoted for judgement in judgements] == [None] * 80


@pytest.mark.parametrize(("kept", "half_within", "all_within"), [(1.0, 60, 60), (0.99, 85, 200), (0.98, 100, 250)])
def test_a_recipe_that_wins_nothing_is_promoted_though_it_loses_a_few(
    kept: float, half_within: int, all_within: int
) -> None:
    """As trials in shadow meet it, at a fifth of the cost."""
    truth = Truth.of_recipe_in_shadow(kept)
    taken = [simulate(recipe("owner"), truth, seed=seed, outcomes=all_within).promoted for seed in _SEEDS]
    assert sorted(number or 9999 for number in taken)[10] <= half_within
    assert all(taken)


def test_a_wider_margin_takes_fewer_trials_and_none_takes_wins() -> None:
    truth = Truth.of_recipe_in_shadow(1.0, cost=0.1)
    taken = [
        simulate(recipe("owner"), truth, seed=1, outcomes=1000, stakes=Stakes(margin=margin)).promoted
        for margin in (0.15, 0.1, 0.05, 0.0)
    ]
    assert taken == sorted(taken, key=lambda number: number or 9999)
    assert taken[-1] is None
    winner = simulate(behaviour("owner"), Truth(0.9, 0.5), seed=1, stakes=Stakes(margin=0.0))
    assert winner.promoted is not None


def test_what_saves_nothing_may_lose_nothing() -> None:
    """It loses two in a hundred, which is within the margin, but for nothing."""
    truth = Truth.of_recipe_in_shadow(0.98, cost=1.0)
    assert all(simulate(recipe("owner"), truth, seed=seed, outcomes=1500).promoted is None for seed in _SEEDS)


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
        (Truth(rate=1.0, default_rate=1.0, cost=0.75), 150),
    ],
)
def test_a_good_behaviour_is_promoted(truth: Truth, within: int) -> None:
    taken = [simulate(behaviour("owner"), truth, seed=seed).promoted for seed in _SEEDS]
    assert all(taken)
    assert sorted(number for number in taken if number is not None)[10] <= within


@pytest.mark.parametrize(("rate", "half_within"), [(0.3, 350), (0.4, 600)])
def test_a_promoted_behaviour_that_turned_bad_is_demoted(rate: float, half_within: int) -> None:
    """With the shares of runs that the settings leave out and repeat; the default is right in 60 %."""
    settings = PlaybookSettings()
    waits = [
        runs_until_demoted(
            behaviour("owner", status="promoted"),
            Truth(rate=rate, default_rate=0.6),
            seed=seed,
            control=settings.control,
            recheck=settings.recheck,
        )
        for seed in _SEEDS
    ]
    assert sorted(wait or 9999 for wait in waits)[10] <= half_within
    assert all(waits)


def test_one_as_good_as_the_default_stays_promoted_for_long() -> None:
    waits = [
        runs_until_demoted(
            behaviour("owner", status="promoted"), Truth(0.6, 0.6), seed=seed, control=0.05, recheck=0.2, runs=1000
        )
        for seed in _SEEDS
    ]
    assert sum(wait is None for wait in waits) >= 15


def test_a_recipe_in_use_that_loses_more_than_it_may_is_demoted_whatever_it_saves() -> None:
    entry, count = recipe("owner", status="promoted"), 0
    while judged(entry, Stakes()) is None:
        entry, count = _after(entry, paired(count % 5 != 4, 1.0, True, 8.0, Stakes())), count + 1
    assert judged(entry, Stakes()) == "demote"
    assert 20 <= count < 150


def test_the_kinds_share_what_may_go_wrong() -> None:
    """However many candidates of each kind there will be, wrong promotions have a chance of 5 % together."""
    chances = [math.exp(-needed(rank, 0.05)) for _ in KINDS for rank in range(1, 100_000)]
    assert 0.0499 < sum(chances) <= 0.05


def test_evidence_of_before_there_was_a_margin_is_added_to() -> None:
    gain = paired(True, 1.0, default_won=True, default_cost=8.0, stakes=Stakes())
    entry = behaviour("owner", evidence=Evidence(gains=(9.0,) * len(BETS), losses=(0.0,) * len(BETS), compared=60))
    assert judged(entry, Stakes()) is None, "nothing is known yet of what it keeps"
    for _ in range(140):
        entry = _after(entry, gain)
    assert judged(entry, Stakes()) == "promote"


def test_the_mean_of_what_outcomes_say_is_the_difference_in_right_answers() -> None:
    """Whether chance decides by a coin or leaves few out: what each arm says, weighted by how often it comes."""
    for share in (0.5, 0.95):
        used = [randomised(won, 3.0, used=True, share=share, **_DEFAULT).right for won in (1.0, 0.0)]
        left = [randomised(won, 3.0, used=False, share=share, **_DEFAULT).right for won in (1.0, 0.0)]
        mean = share * (0.9 * used[0] + 0.1 * used[1]) + (1 - share) * (0.7 * left[0] + 0.3 * left[1])
        assert mean == pytest.approx(0.9 - 0.7)
    assert paired(True, 1.0, False, 1.0, Stakes()).right == 1.0


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
        entry = _after(entry, Gain(right=1.0, total=1.0, kept=1.0))
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
    pooled = counts_everywhere(entry, Stakes())
    return entry.model_copy(update={"evidence": added(entry.evidence, gain, pooled=pooled)})
