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
        ("Ann has many pencils. She gives 4 away and buys 3 rulers. How many pencils has she?", "many"),
        ("Ann buys several boxes of 12 pencils. How many pencils does she buy?", "unclear"),
        ("Ann has a certain number of boxes of 12 pencils. How many pencils has she?", "certain"),
        ("Ann drove more than 40 miles in 2 hours. How fast did she drive?", "bound"),
        ("Ann has some pencils and buys 4 more. How many pencils does she buy altogether?", "some_open"),
        ("Ann has 9 pencils and buys some rulers. How many pencils has she?", "some_aside"),
        ("Ann drove 40 miles in 2 hours. What was her exact speed?", "exact"),
        ("Ann gives her 9 pencils to 3 boys. How many did each get exactly?", "exact"),
        ("Ann has 4 boxes of 12 pencils. How many?", "bare"),
        ("Ann has 4 boxes of 12 pencils. How many rulers does she have?", "unnamed"),
        ("Ann has pencils in 4 boxes. How many pencils has she?", "one_number"),
        ("Ann has pencils in 4 boxes. How many pencils has she?", "few_amounts"),
        ("Ann gives 3 pencils to Bob and the rest to Carl. How many does Carl get?", "rest"),
        ("Ann gives 3 pencils to Bob and the rest to Carl and Dora. How many does Carl get?", "shared_rest"),
    ],
)
def test_each_sign_is_seen_where_it_is_and_not_in_a_complete_question(question: str, sign: str) -> None:
    assert _read(question)[sign] > 0
    assert _read(COMPLETE)[sign] == 0


@pytest.mark.parametrize(
    "question",
    [
        "Ann has some pencils. She buys 4 more and now has 9. How many had she before?",
        "Ann had 9 pencils. After she gave some away she had 4 pencils. How many did she give away?",
        "Ann gave some of her 9 pencils away and has only 4 left. How many did she give away?",
        "Ann goes to buy some pencils. She takes 9 red pencils and 4 blue ones. How many does she take?",
        "Ann bought some pencils for $9 and has $4 with her. How much does she lack?",
    ],
)
def test_some_that_a_sum_or_a_rest_settles_is_no_sign(question: str) -> None:
    read = _read(question)
    assert not (read["some_open"] or read["some_aside"])


@pytest.mark.parametrize(
    "question",
    [
        "Ann has 5 more than 12 pencils. How many pencils has she?",
        "A bridge carries no more than 5000 pounds. How many boxes of 15 pounds does it carry?",
        "Bob scored 20 points. Ann scored 3 points less than 20. How many points did Ann score?",
    ],
)
def test_a_difference_or_a_limit_is_no_bound(question: str) -> None:
    assert _read(question)["bound"] == 0


def test_an_unknown_number_that_a_sum_settles_is_no_sign() -> None:
    settled = "Ann has 4 red pencils and an unknown number of blue ones. She has 9 in total. How many are blue?"
    assert _read(settled)["certain"] == 0


@pytest.mark.parametrize(
    "question",
    [
        "Ann has 3 pencils. How many more does she need for 9 children?",
        "Each box holds 12 pencils. How many boxes does she need for 24?",
        "Ann cuts 4 loaves in 3 pieces each. How many pieces are there?",
        "Ann has 3 shelves. How many feet is each shelf if they are 9 feet together?",
    ],
)
def test_what_any_story_has_need_not_be_named(question: str) -> None:
    assert _read(question)["unnamed"] == 0


@pytest.mark.parametrize(
    "question",
    [
        "How many pencils are in 4 boxes of 12?",
        "Ann has 12 pencils, Bob has twice that many. How many has Bob?",
        "Ann has as many pencils as Bob, who has 12. How many has Ann?",
        "Ann had 12 pencils for many years. She has 3 left. How many has she lost?",
    ],
)
def test_many_that_asks_or_compares_is_no_amount_left_open(question: str) -> None:
    assert _read(question)["many"] == 0


@pytest.mark.parametrize(
    ("question", "form", "can_be_weighed"),
    [
        (COMPLETE, "number", True),
        ("Ann puts her pencils into boxes. How many pencils are in each box?", "text", True),
        ("Ann has 4 pencils more than Bob. What's the total number of their pencils?", "text", True),
        ("Ann drives 10 miles every day. Calculate the total distance that she drives.", "text", True),
        ("The rent is due. If he pays it late, how much will Mr. Smith pay?", "text", True),
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
    "piece",
    [
        "some ",
        "after some ",
        "some now ",
        "sometimes now ",
        "1 ",
        "1 more than 3 ",
        "how much will ",
        "how many a ",
        "the rest and ",
        "if a had ",
        ". ",
    ],
)
def test_reading_signs_takes_no_time_whatever_the_text(piece: str) -> None:
    # Ten readings: one that takes a tenth of a second is too slow for a question.
    assert cpu_seconds(lambda text: [signs(text) for _ in range(10)], hostile("A. ", piece, 1900)) < ENOUGH
