"""Questions of whether a statement follows."""

import pytest

from tests.hostile import ENOUGH, PHRASES, cpu_seconds, hostile
from tools.verifiers.logic.question import find_logic

PREMISES = "Every cat is an animal. Tom is a cat."


def test_with_choices() -> None:
    question = find_logic(
        f"{PREMISES}\n\nBased on the above information, is the following statement true, false, or unknown? "
        "Tom is an animal.\nA. True\nB. False\nC. Unknown"
    )
    assert question is not None
    assert question.premises == ("Every cat is an animal.", "Tom is a cat.")
    assert question.statement == "Tom is an animal."
    assert question.letters == {"true": "A", "false": "B", "uncertain": "C"}


def test_without_choices() -> None:
    question = find_logic(f"{PREMISES}\nTrue or false: Tom is an animal.")
    assert question is not None
    assert (question.statement, question.letters) == ("Tom is an animal.", {})


@pytest.mark.parametrize(
    "text",
    [
        "How many cats are there, if 3 of 5 animals are cats?",
        f"{PREMISES}\nWhat is Tom?\nA. a cat\nB. a dog",
        "True or false: cats bark.",
        "x" * 100_000,
    ],
)
def test_other_questions_are_none(text: str) -> None:
    assert find_logic(text) is None


@pytest.mark.parametrize(("start", "piece"), PHRASES)
def test_long_repetition_is_no_trap(start: str, piece: str) -> None:
    assert cpu_seconds(find_logic, hostile(start, piece, 9_900)) < ENOUGH
