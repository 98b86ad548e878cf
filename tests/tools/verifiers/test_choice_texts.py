"""The choices that a question names."""

import pytest

from tests.hostile import ENOUGH, PHRASES, cpu_seconds, hostile
from tools.verifiers.choice_texts import choices_in, mentioned


@pytest.mark.parametrize(
    ("question", "choices"),
    [
        ("Which is a gas?\nA. iron\nB. neon\nC. salt", {"A": "iron", "B": "neon", "C": "salt"}),
        ("Did Ann cause it?\nOptions:\n(A) Yes\n(B) No", {"A": "Yes", "B": "No"}),
        ("Which?\n  A) 5 km\r\n  B)6 km\r\n", {"A": "5 km", "B": "6 km"}),
        ("Which?\nA: iron\nB: neon", {"A": "iron", "B": "neon"}),
        ("Which?\nI. DNA\nII. RNA\nA. I only\nB. II only", {"A": "I only", "B": "II only"}),
        ("As in\nA. one\nB. two\nC. three\nwhich?\nA. iron\nB. neon", {"A": "iron", "B": "neon"}),
        ("A. Smith wrote:\nWhich?\nA. iron\nB. neon\nE. coli is none", {"A": "iron", "B": "neon"}),
        ("A. Smith asks how many there are.", {}),
        ("A.M. or\nB.C.?", {}),
        ("", {}),
    ],
)
def test_choices_are_the_lettered_lines_at_the_end(question: str, choices: dict[str, str]) -> None:
    assert choices_in(question) == choices


@pytest.mark.parametrize(("start", "piece"), [*PHRASES, ("", "A. x\n"), ("A. x\nB. ", "x "), ("A. x\nB. x", "x. ")])
def test_long_repetition_is_no_trap(start: str, piece: str) -> None:
    question = hostile(start, piece, 100_000)
    assert cpu_seconds(choices_in, question) < ENOUGH
    assert cpu_seconds(lambda text: mentioned(text[-20_000:], choices_in(text)), question) < ENOUGH
