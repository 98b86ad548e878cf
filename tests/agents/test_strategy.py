"""The thread around a question, as prompts take it."""

from agents.strategy import earlier, with_question
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
    assert earlier((SYSTEM,)) == (SYSTEM,)


def test_a_short_thread_is_whole_without_its_question() -> None:
    messages = (SYSTEM, assistant("What can I do?"), user("Hi."), assistant("Hello."), user("What is 6 * 7?"))
    assert earlier(messages) == messages[:4]
    assert earlier(messages[-1:]) == ()


def test_of_a_long_thread_there_are_the_latest_turns_from_what_the_user_said() -> None:
    old = [user("first"), assistant("word " * 2_000)]
    recent = (user("second"), assistant("word " * 400), user("third"), assistant("word " * 400))
    assert earlier((SYSTEM, *old, *recent, user("And now?"))) == recent
    assert earlier((SYSTEM, *old, user("And now?"))) == ()
