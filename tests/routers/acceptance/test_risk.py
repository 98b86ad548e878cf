"""Selective answering keeps what it promises."""

import random

import orjson
import pytest

from orchestrator.answering_in_service import answering_of
from orchestrator.settings_file import load_settings
from routers.acceptance.answering import Answering, Offer
from routers.acceptance.asked import Asked, asked_of
from routers.acceptance.calibration import Isotonic, calibration_floor, expected_calibration_error
from routers.acceptance.risk import ladder_outcomes, risk_point, risk_points, upper_bound
from routers.acceptance.training import Pair, train
from routers.outcome import Outcome
from tests.routers.acceptance.outcomes import PARAMETERS, made_up

Steps = list[list[tuple[float, bool]]]


def _answers(n: int, seed: int) -> Steps:
    """A calibrated confidence that is mostly high."""
    chance = random.Random(seed)
    made = []
    for _ in range(n):
        p = chance.random() ** 0.5
        made.append([(p, chance.random() < p)])
    return made


def test_the_error_among_answers_stays_below_the_risk_on_new_questions() -> None:
    new = _answers(20_000, seed=99)
    broken = vouched = 0
    for seed in range(40):
        point = risk_point(_answers(300, seed), 0.2, "number")
        if point is None:
            continue
        vouched += 1
        given = [right for right in ladder_outcomes(new, point.threshold) if right is not None]
        broken += sum(not right for right in given) / len(given) > 0.2
    # With 95 % confidence each: more than six of forty would be a broken promise.
    assert broken <= 6
    assert vouched >= 30


def test_a_risk_that_the_data_cannot_vouch_for_has_no_threshold() -> None:
    assert risk_point(_answers(300, seed=0), 0.005, "number") is None
    assert risk_point([[(0.9, True)]] * 10, 0.1, "number") is None


def test_a_higher_risk_never_answers_less() -> None:
    points = risk_points(_answers(400, seed=2), "number")
    answered = [point.answered for point in points]
    assert answered == sorted(answered)
    assert points[-1].risk == 0.5


def test_the_upper_bound_is_clopper_and_pearsons() -> None:
    # One minus the n-th root of 0.05 for no error at all.
    assert abs(upper_bound(0, 59) - (1 - 0.05 ** (1 / 59))) < 1e-9
    assert upper_bound(5, 5) == 1.0


def test_calibration_error_sees_overconfidence_and_its_floor_is_chance() -> None:
    right = [float(number % 2) for number in range(1000)]
    assert expected_calibration_error([0.5] * 1000, right) == 0.0
    assert abs(expected_calibration_error([0.9] * 1000, right) - 0.4) < 1e-9
    assert 0.005 < calibration_floor([0.5] * 1000) < 0.1
    assert expected_calibration_error([], []) == 0.0


def test_isotonic_probabilities_rise_with_the_score_and_stay_within_what_was_seen() -> None:
    steps = Isotonic(scores=(-1.0, 0.0, 2.0), probabilities=(0.1, 0.5, 0.9))
    found = [steps.probability(score) for score in (-9.0, -1.0, -0.5, 1.0, 9.0)]
    assert found == pytest.approx([0.1, 0.1, 0.3, 0.7, 0.9])


_LETTERS = "Which of these is a river?\nA. Danube\nB. Asia\nC. Bread\nD. Salt"


def _serving(*rungs: str) -> Answering:
    """What `auto` does at medium effort, on these rungs for what names its answers."""
    settings = load_settings(environment={"TANDEM__AUTO__CHOOSING": orjson.dumps({"medium": rungs}).decode()})
    return answering_of(settings)


def test_a_threshold_is_learned_from_the_attempts_that_serve_its_form() -> None:
    letters = [
        one.model_copy(update={"form": "choice", "value": "A" if one.correct else "B"})
        for one in made_up(1, direct=True, wording=_LETTERS)
    ]
    numbers = made_up(1, direct=True, family="numbers")
    [asked, number] = asked_of([*letters, *numbers], {})
    serving = _serving("direct(large)", "cot(large)")
    known = {attempt.route for attempt in asked.attempts}

    def routes(one: Asked, offers: list[Offer] | None) -> list[str]:
        assert offers
        return [one.attempts[index].route for index in offers[-1].taken]

    assert serving.offers(number, known) is None, "further samples of its program were never drawn"
    first = Answering(serving.policy, serving.options[:3], "medium", serving.roles)
    assert routes(asked, first.offers(asked, known))[0] == "direct(large)"
    assert sorted(routes(asked, first.offers(asked, known))) == ["cot(large)", "direct(large)", "program(large)"]
    assert routes(number, first.offers(number, known)) == ["program(large)", "cot(large)", "direct(large)"]
    assert routes(number, first.offers(number, known - {"cot(large)"})) == ["program(large)"]


def test_letters_are_vouched_for_where_the_model_says_them_at_once() -> None:
    made = [*made_up(120), *_sure_letters(120)]
    routes = asked_of(made, {})
    both = Answering(_serving("direct(large)").policy, (), "medium", {})
    card = train(routes, Pair("s", "l", PARAMETERS), both, seed=0)
    point = card.points(0.2)["choice"]
    assert (point.n, point.wrong) == (120, 0)
    sequence = [offer.taken for one in routes if one.form == "choice" for offer in both.offers(one, card.routes) or ()]
    assert {len(taken) for taken in sequence} == {1}


def _sure_letters(questions: int) -> list[Outcome]:
    """Said at once they are right, while programs and chains of thought are as they may."""
    made = made_up(questions, direct=True, family="letters", wording=_LETTERS)
    return [
        one.model_copy(
            update={"form": "choice", "correct": (right := one.correct or one.route == "direct(large)")}
            | {"value": "A" if right else "B"}
        )
        for one in made
    ]
