"""Which numbers can hardly be what was asked for, and that sound ones pass."""

import pytest

from routers.assessment import assess
from routers.plausible import implausible
from tests.hostile import ENOUGH, cpu_seconds
from workers.messages import Message

_SHOP = "Ann has 12 apples and gives 5 of them to each of her 2 friends. "


def _why(question: str, value: str | None) -> str | None:
    return implausible(value, assess([Message(role="user", content=question)]).bounds)


@pytest.mark.parametrize(
    ("asked", "value", "why"),
    [
        ("How many apples does she have left?", "-2", "below zero"),
        ("How much more does Bob have than Ann?", "-40.0", "below zero"),
        ("What is the difference?", "-3", "below zero"),
        ("How many apples does each of the others get?", "6.681818181818182", "not a whole number"),
        ("How many bags does she need?", "0.8", "not a whole number"),
        ("How much does she pay in dollars?", "51.333333333333336", "come out even"),
        ("How many hours does it take her?", "2.3333333333333335", "come out even"),
    ],
)
def test_what_can_hardly_be_the_answer_is_named(asked: str, value: str, why: str) -> None:
    found = _why(_SHOP + asked, value)
    assert found is not None and value in found and why in found


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (_SHOP + "How many apples does she have left?", "2"),
        (_SHOP + "How many apples does she have left?", "2.0"),
        (_SHOP + "How many apples does she have left?", "1,200"),
        (_SHOP + "How many apples does she eat?", "2.5"),
        (_SHOP + "How many apples does she have left?", "14.999999999999998"),
        (_SHOP + "How many apples does she have left?", None),
        (_SHOP + "How many apples does she have left?", "nan"),
        (_SHOP + "How many apples does she have left?", "two"),
        (_SHOP + "How many hours does it take her?", "2.4"),
        (_SHOP + "How much does she pay in dollars?", "3.35"),
        (_SHOP + "How many apples has each on average?", "4.333333333333333"),
        (_SHOP + "What percentage is left?", "16.666666666666668"),
        ("There were 0.375 and 0.125 pitchers of tea. How many pitchers is that in all?", "0.5625"),
        ("At 6 it was 4 degrees, then it fell by 9 degrees. What is the difference to 3 degrees?", "-8"),
        ("Ann had 12 dollars and owes Bob 20. How much does she have?", "-8"),
        ("How much is -7 + 3?", "-4"),
        ("What is 3 - 8?", "-5"),
        ("What is 10 / 3?", "3.3333333333333335"),
        ("Solve 2x + 8 = 2 for x.", "-3"),
        ("Is 7 a prime number? Yes or no?", "-1.5"),
    ],
)
def test_what_may_be_the_answer_passes(question: str, value: str | None) -> None:
    assert _why(question, value) is None


@pytest.mark.parametrize("text", ["how many more ", "-", "1.", "0.5 ", "sea "])
def test_long_questions_take_no_more_than_their_length(text: str) -> None:
    question = f"{text * 6000}How many of the 3 and 4 are left?"
    assert cpu_seconds(lambda asked: _why(asked, "-1"), question) < ENOUGH


@pytest.mark.parametrize(
    ("value", "why"), [("40.0", "40.0 is none of A, B, C"), ("D", "none of"), ("B", None), (None, None)]
)
def test_of_choices_only_a_letter_of_theirs_can_be_the_answer(value: str | None, why: str | None) -> None:
    found = _why("How many apples are left of 12 when 5 are eaten?\nA. 27\nB. 7\nC. 8", value)
    assert found is None if why is None else found is not None and why in found
