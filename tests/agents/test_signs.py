"""Signs in the words of a question that something is missing."""

import pytest

from agents.signs import SIGNS, signs, weighable
from tests.hostile import ENOUGH, cpu_seconds, hostile

COMPLETE = (
    "A box holds 12 pencils and costs $3. Ann buys 4 boxes and gives 5 pencils away. How many pencils has she left?"
)


def _read(question: str) -> dict[str, float]:
    return dict(zip(SIGNS, signs(question), strict=True))


@pytest.mark.parametrize(
    ("question", "sign"),
    [
        ("Ann has 4 boxes and many pencils in each. How many pencils has she?", "many"),
        ("Ann buys a few boxes of 12 pencils. How many pencils does she buy?", "vague"),
        ("Ann has a certain number of boxes of 12 pencils. How many pencils has she?", "certain"),
        ("Ann drove more than 40 miles in 2 hours. How fast did she drive?", "bound"),
        ("Ann read between 10 and 20 pages. How many pages did she read?", "between"),
        ("Ann has some pencils and buys 4 more. How many pencils does she buy altogether?", "some_open"),
        ("Ann has some pencils. She buys 4 more and now has 9. How many had she before?", "some_settled"),
        ("Ann has 4 boxes of 12 pencils. How many?", "bare"),
        ("Ann has 4 boxes of 12 pencils. How many rulers does she have?", "unnamed"),
        ("Ann buys 4 boxes of 12 pencils. How much did she pay?", "priceless"),
        ("Ann has pencils in 4 boxes. How many pencils has she?", "one_number"),
        ("Ann gives 3 pencils to Bob and the rest to Carl. How many does Carl get?", "rest"),
    ],
)
def test_each_sign_is_seen_where_it_is_and_not_in_a_complete_question(question: str, sign: str) -> None:
    assert _read(question)[sign] > 0
    assert _read(COMPLETE)[sign] == 0


@pytest.mark.parametrize(
    "question",
    [
        "How many pencils are in 4 boxes of 12?",
        "Ann has 12 pencils, Bob has twice that many. How many has Bob?",
        "Ann has as many pencils as Bob, who has 12. How many has Ann?",
    ],
)
def test_many_that_asks_or_compares_is_no_amount_left_open(question: str) -> None:
    assert _read(question)["many"] == 0


@pytest.mark.parametrize(
    ("question", "form", "can_be_weighed"),
    [
        (COMPLETE, "number", True),
        ("Ann puts her pencils into boxes. How many pencils are in each box?", "text", True),
        ("I have a lamp, a bed and two chairs. How many objects do I have?", "number", False),
        ("Ann likes her pencils. Write a poem about them.", "text", False),
        ("How many positive integers below 30 are multiples of 3?", "number", False),
        ("Is 5 more than 3?", "yes-no", False),
    ],
)
def test_only_stories_that_ask_for_an_amount_are_weighed(question: str, form: str, can_be_weighed: bool) -> None:
    assert weighable(question, form) is can_be_weighed  # type: ignore[arg-type]


def test_long_questions_are_not_searched() -> None:
    assert not weighable("Ann has 4 pencils. " * 200 + "How many pencils has she?", "number")


@pytest.mark.parametrize(
    "piece", ["some ", "after some ", "now ", "1 ", "how much will ", "between 1 and ", "if a had ", ". "]
)
def test_reading_signs_takes_no_time_whatever_the_text(piece: str) -> None:
    # Ten readings: one that takes a tenth of a second is too slow for a question.
    assert cpu_seconds(lambda text: [signs(text) for _ in range(10)], hostile("A. ", piece, 1900)) < ENOUGH
