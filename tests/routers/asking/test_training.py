"""Learning when to ask, from questions and twins of them that lack something."""

import random
from pathlib import Path

import pytest

from routers.acceptance.card import CardUnreadable
from routers.acceptance.training import TooFewOutcomes
from routers.asking.card import AskingCard, find_asking_card
from routers.asking.training import KnownQuestion, train_asking

COMPLETE = "Ann has {a} boxes of {b} pencils and gives {c} away. How many pencils has she left?"
LACKING = "Ann has {a} boxes of many pencils and gives {c} away. How many pencils has she left?"


def _known(count: int, seed: int, tell: bool = True) -> list[KnownQuestion]:
    """Pairs of a question and its twin, which the words tell apart or not."""
    chance = random.Random(seed)
    known = []
    for number in range(count):
        filled = {name: chance.randrange(2, 30) for name in "abc"}
        for lacks in (False, True):
            text = (LACKING if lacks and tell else COMPLETE).format(**filled)
            known.append(KnownQuestion("made-up", f"k{number}", text, lacks))
        known.append(KnownQuestion("ordinary", f"o{number}", COMPLETE.format(**filled), None))
    return known


def test_what_the_words_tell_is_learned_and_measured_on_questions_it_was_not_fitted_on() -> None:
    card = train_asking(_known(60, seed=1))
    assert card.questions == {"made-up": 120, "ordinary": 60} and card.lacking == 60
    assert card.metrics["auc"] == 1.0
    asked = (card.metrics["caught_0.5"], card.metrics["bothered_0.5"], card.metrics["ordinary_0.5"])
    assert asked == (1.0, 0.0, 0.0)
    assert card.probability(LACKING.format(a=3, c=4)) > 0.5 > card.probability(COMPLETE.format(a=3, b=9, c=4))


def test_where_the_words_tell_nothing_nothing_is_claimed() -> None:
    metrics = train_asking(_known(60, seed=2, tell=False)).metrics
    assert 0.4 < metrics["auc"] < 0.6
    assert abs(metrics["caught_0.5"] - metrics["bothered_0.5"]) <= 0.15


def test_too_few_questions_are_named() -> None:
    with pytest.raises(TooFewOutcomes, match="39 questions that lack something"):
        train_asking(_known(39, seed=1))


def test_the_card_that_ships_finds_more_in_a_lacking_question_than_in_its_twin() -> None:
    card = find_asking_card()
    assert card.probability(LACKING.format(a=3, c=4)) > 0.6
    assert card.probability(COMPLETE.format(a=3, b=9, c=4)) < 0.4
    assert card.metrics["caught_0.5"] > 0.6 and card.metrics["bothered_0.5"] < 0.15


def test_a_card_that_is_none_or_of_other_signs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    with pytest.raises(CardUnreadable, match="tandem train asking"):
        find_asking_card(str(path))
    path.write_text("{}")
    with pytest.raises(CardUnreadable, match="cannot be read"):
        find_asking_card(str(path))
    card = find_asking_card()
    path.write_text(AskingCard(**{**card.model_dump(), "weights": {"telepathy": 1.0}}).model_dump_json())
    with pytest.raises(CardUnreadable, match="telepathy"):
        find_asking_card(str(path))
