"""What is learned from outcomes with known laws."""

import random

import pytest

from routers.acceptance.asked import asked_of, folds_of
from routers.acceptance.attempt import Attempt, Camp
from routers.acceptance.calibration import expected_calibration_error
from routers.acceptance.card import AcceptanceCard, CardUnreadable, load_card
from routers.acceptance.selection import unselected
from routers.acceptance.shelf import find_card
from routers.acceptance.training import Pair, TooFewOutcomes, train
from tests.routers.acceptance.outcomes import PARAMETERS, answering, made_up

_PROGRAM = Attempt("program(large)", "7", ran=True, logprob=-0.2, length=100)
_COT = Attempt("cot(large)", "7", logprob=-0.2, length=260)


def test_probabilities_are_calibrated_on_questions_that_were_not_learned_from(card: AcceptanceCard) -> None:
    predicted, right = [], []
    for one in asked_of(made_up(400, seed=1), {}):
        for index, correct in enumerate(one.right):
            attempts, [camp] = one.view([index])
            predicted.append(card.probability(attempts, camp, one.form))
            right.append(correct)
    assert expected_calibration_error(predicted, right) < 0.06
    assert card.metrics["ece"] < 0.06


def test_agreement_and_certainty_speak_for_an_answer_and_disagreement_against(card: AcceptanceCard) -> None:
    alone = card.probability([_PROGRAM], Camp((0,)), "number")
    agreed = card.probability([_PROGRAM, _COT], Camp((0, 1)), "number")
    other = Attempt("cot(large)", "8", logprob=-0.2, length=260)
    disputed = card.probability([_PROGRAM, other], Camp((0,)), "number")
    sure = card.probability([Attempt("program(large)", "7", ran=True, logprob=-0.1, length=100)], Camp((0,)), "number")
    assert disputed < alone < agreed
    assert alone < sure


def test_a_second_opinion_is_worth_more_where_the_first_answer_is_doubtful(card: AcceptanceCard) -> None:
    gain = card.gain(["program(large)"], "cot(large)")
    assert gain is not None
    assert gain.n == 240
    assert gain.at(0.3) > gain.at(0.95)


def test_what_was_measured_is_the_share_and_cost_of_each_route(card: AcceptanceCard) -> None:
    measured = card.of("program(large)", "number")
    assert measured is not None
    assert measured.right / measured.n == pytest.approx(measured.success)
    assert (measured.tokens, measured.cost) == (100, pytest.approx(105 / 265))
    assert card.of("cot(large)", "number").cost == pytest.approx(1.0)  # type: ignore[union-attr]


def test_answers_of_one_form_vouch_for_no_other() -> None:
    outcomes = made_up(240)
    wrong = [
        one.model_copy(
            update={"id": f"choice/{one.id}", "split_key": f"choice/{one.id}", "form": "choice", "value": "B"}
            | {"correct": False, "family": "choices"}
        )
        for one in made_up(80, seed=1)
    ]
    card = train(asked_of([*outcomes, *wrong], {}), Pair("s", "l", PARAMETERS), answering(), seed=0)
    assert set(card.points(0.2)) == {"number"}
    measured = card.of("program(large)", "choice")
    assert measured is not None and (measured.right, measured.n) == (0, 80)
    assert card.of("program(large)", "number").success > 0.6  # type: ignore[union-attr]


def test_questions_that_share_a_split_key_share_a_fold() -> None:
    keys = [f"group {number // 3}" for number in range(60)]
    folds = folds_of(keys, 5, seed=3)
    assert all(len({folds[i] for i in range(60) if keys[i] == key}) == 1 for key in keys)
    assert {folds.count(fold) for fold in range(5)} == {12}


def test_the_same_data_and_seed_give_the_same_card_in_any_order_of_outcomes() -> None:
    outcomes = made_up(80)
    shuffled = random.Random(1).sample(outcomes, len(outcomes))
    first, second = (
        train(asked_of(made, {}), Pair("s", "l", PARAMETERS), answering(), seed=0) for made in (outcomes, shuffled)
    )
    assert first.model_copy(update={"created": ""}) == second.model_copy(update={"created": ""})


def test_a_card_is_read_back_and_refused_for_another_pair(card: AcceptanceCard, tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "card.json"
    path.write_text(card.model_dump_json())
    assert path.stat().st_size < 100_000
    assert load_card(path) == card
    assert find_card("s" * 64, "l" * 64, str(path)) == card
    with pytest.raises(CardUnreadable, match="tandem train acceptance"):
        find_card("s" * 64, "another", str(path))
    path.write_text("{}")
    with pytest.raises(CardUnreadable, match=r"card\.json"):
        load_card(path)


def test_the_default_pair_has_a_card_and_an_unknown_pair_none() -> None:
    small = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
    large = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
    shipped = find_card(small, large)
    assert shipped is not None
    assert shipped.metrics["ece"] <= 0.05
    assert find_card(small, "") is None
    assert find_card(large, small) is None


def test_too_few_outcomes_are_refused_with_what_is_missing() -> None:
    with pytest.raises(TooFewOutcomes, match=r"cot\(large\).*tandem bench collect"):
        train(asked_of(made_up(10), {}), Pair("s", "l", PARAMETERS), answering(), seed=0)


def test_outcomes_that_were_picked_because_another_attempt_was_doubted_are_left_out() -> None:
    outcomes = made_up(100)
    doubted = [
        outcome
        for outcome in outcomes
        if outcome.route != "cot(large)" or outcome.id < "made-up/0040" or int(outcome.id[-4:]) % 5 == 0
    ]
    kept = [outcome.id for outcome in unselected(doubted) if outcome.route == "cot(large)"]
    assert kept == [f"made-up/{number:04}" for number in range(41)]
    assert len([outcome for outcome in unselected(doubted) if outcome.route == "cot(small)"]) == 100
    runs = [outcome.model_copy(update={"source": "run"}) for outcome in outcomes]
    assert unselected(runs) == []
