"""A judge that is too sure of itself, and what its card makes of it."""

import random
from pathlib import Path

import pytest

from routers.acceptance.calibration import expected_calibration_error
from routers.acceptance.card import CardUnreadable
from routers.acceptance.training import TooFewOutcomes
from routers.judging.card import load_judge_card
from routers.judging.training import JudgedAnswer, calibrate_judge


def _sure_of_itself(count: int, seed: int) -> list[JudgedAnswer]:
    """Right in the share 0.2 + 0.6 q of the cases, for which it says q to the fourth root."""
    chance = random.Random(seed)
    judged = []
    for number in range(count):
        quality = chance.random()
        right = chance.random() < 0.2 + 0.6 * quality
        judged.append(JudgedAnswer("gsm8k", f"q{number // 2}", quality**0.25, right))
    return judged


def test_probabilities_of_a_judge_that_is_too_sure_are_calibrated_on_answers_it_was_not_fitted_on() -> None:
    card = calibrate_judge(_sure_of_itself(600, seed=1), "sha")
    assert card.answers == {"gsm8k": 600}
    assert card.metrics["ece"] > 0.2
    assert card.metrics["calibrated_ece"] < 0.08
    assert card.metrics["calibrated_brier"] < card.metrics["brier"]
    unseen = _sure_of_itself(600, seed=2)
    probabilities = [card.probability(answer.score) for answer in unseen]
    assert expected_calibration_error(probabilities, [float(answer.right) for answer in unseen]) < 0.08
    assert card.probability(0.2) < card.probability(0.99)
    assert 0 <= card.probability(0.0) <= card.probability(1.0) <= 1


@pytest.mark.parametrize(("judge_knows", "least", "most"), [(True, 0.04, 0.2), (False, -0.03, 0.03)])
def test_what_a_verdict_adds_to_the_answers_own_evidence_is_told(judge_knows: bool, least: float, most: float) -> None:
    chance = random.Random(4)
    judged = []
    for number in range(600):
        sure, known = chance.random(), chance.random()
        right = chance.random() < 0.3 * sure + 0.7 * known
        score = known if judge_knows else chance.random()
        judged.append(JudgedAnswer("gsm8k", f"q{number}", score, right, "large", sure - 1))
    metrics = calibrate_judge(judged, "sha").metrics
    assert metrics["auc_evidence"] > 0.55
    assert least < metrics["auc_evidence_and_verdict"] - metrics["auc_evidence"] < most


def test_what_it_takes_is_said() -> None:
    with pytest.raises(TooFewOutcomes, match="takes 40"):
        calibrate_judge(_sure_of_itself(39, seed=1), "sha")
    with pytest.raises(TooFewOutcomes, match="right ones and wrong ones"):
        calibrate_judge([JudgedAnswer("gsm8k", str(n), 0.9, True) for n in range(50)], "sha")


def test_a_card_is_for_the_model_that_it_was_made_of(tmp_path: Path) -> None:
    card = calibrate_judge(_sure_of_itself(100, seed=1), "sha")
    path = tmp_path / "judge.json"
    path.write_text(card.model_dump_json())
    assert load_judge_card(path, "sha") == card
    with pytest.raises(CardUnreadable, match="not of other"):
        load_judge_card(path, "other")
    path.write_text("{}")
    with pytest.raises(CardUnreadable, match="tandem train judge"):
        load_judge_card(path, "sha")
