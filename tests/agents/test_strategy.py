"""The thread around a question, as prompts take it."""

from agents.strategy import with_question
from workers.messages import Message

SYSTEM = Message(role="system", content="Be brief.")


def user(text: str) -> Message:
    return Message(role="user", content=text)


def assistant(text: str) -> Message:
    return Message(role="assistant", content=text)


def test_a_prompt_takes_the_place_of_the_question() -> None:
    messages = (SYSTEM, user("Hi."), assistant("Hello."), user("What is 6 * 7?"))
    assert with_question(messages, "Think: what is 6 * 7?") == (*messages[:3], user("Think: what is 6 * 7?"))


def test_a_thread_without_a_question_ends_in_the_prompt() -> None:
    assert with_question((SYSTEM,), "Think.") == (SYSTEM, user("Think."))
