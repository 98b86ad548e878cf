"""What is checkable and what is conversation."""

import pytest

from routers.assessment import answer_form, assess
from tests.hostile import ENOUGH, PHRASES, cpu_seconds, hostile
from workers.messages import Message


@pytest.mark.parametrize(
    ("question", "form"),
    [
        ("A robe takes 2 bolts of blue fiber and half that much white fiber. How many bolts does it take?", "number"),
        ("He buys a house for $80,000 and puts in $50,000 in repairs. How much profit did he make?", "number"),
        ("What is 17 * 23?", "number"),
        ("Joan has 6 quarters and 2 dimes. How  many cents is that?", "number"),
        ("Solve $x^2 - 5x + 6 = 0$ for $x$.", "expression"),
        ("Which is a gas?\nA. iron\nB. neon\nC. salt", "choice"),
        ("Is the sky green? Answer yes or no.", "yes-no"),
        ("Tell me a story.", "text"),
        ("Write a poem about 3 cats and 2 dogs.", "text"),
        ("Implement a function to find the median of 2 sorted arrays in O(1) space.", "text"),
        ("What happened between 1914 and 1918?", "text"),
        ("What is love?", "text"),
        ("Fix this:\n```python\nprint(1 + 1)\n```", "text"),
        ("", "text"),
    ],
)
def test_form(question: str, form: str) -> None:
    assert answer_form(question) == form


def test_no_signal_is_no_difficulty_rather_than_an_easy_one() -> None:
    assert assess([Message(role="user", content="Tell me about Rome.")]).difficulty is None


def test_more_quantities_are_harder() -> None:
    easy = assess([Message(role="user", content="What is 2 + 2?")]).difficulty
    text = "Tom has 3 boxes of 12 pens, sells 7 for 2 dollars each, buys 4 more boxes. How many pens has he now?"
    hard = assess([Message(role="user", content=text)]).difficulty
    assert easy is not None and hard is not None and easy < hard


def test_a_short_follow_up_inherits_and_a_new_question_does_not() -> None:
    assert assess([Message(role="user", content="Yes, go on.")], inherited=0.8).difficulty == 0.8
    assert assess([Message(role="user", content="What is 2 + 2?")], inherited=0.8).difficulty != 0.8


@pytest.mark.parametrize(
    "text",
    [
        "### Task:\nGenerate a concise title for the chat history.",
        "Generate 1-3 broad tags categorizing the main themes of the chat history",
    ],
)
def test_a_chat_interfaces_own_requests_are_recognised(text: str) -> None:
    assert assess([Message(role="user", content=text)]).interface_task


def test_a_user_who_asks_for_a_title_is_no_interface() -> None:
    assert not assess([Message(role="user", content="Suggest a title for my novel about Rome.")]).interface_task


@pytest.mark.parametrize(("start", "piece"), PHRASES)
def test_long_repetition_is_no_trap(start: str, piece: str) -> None:
    question = hostile(start, piece, 100_000)
    assert cpu_seconds(lambda text: assess([Message(role="user", content=text)]), question) < ENOUGH


def test_what_is_asked_is_found_at_either_end_of_a_long_text() -> None:
    document = "It rained in Bergen. " * 5_000
    assert answer_form(f"{document}\nHow many are 6 boxes of 7 apples?") == "number"
    assert answer_form(f"{document}\nWhich is a gas?\nA. iron\nB. neon") == "choice"
    assert answer_form(f"Answer yes or no: does this text speak of rain?\n{document}") == "yes-no"
    assert assess([Message(role="user", content=f"{document}\nTell me more.")], inherited=0.8).difficulty is None
