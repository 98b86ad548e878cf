"""What the words of a question show to be missing, and what they do not."""

import pytest

from agents.asking import ANSWER_ANYWAY, WordingAsker
from agents.wording import Unclear, may_lack, unclear
from tests.agents.conftest import ContextFor, asked
from tests.hostile import ENOUGH, cpu_seconds, hostile


@pytest.mark.parametrize(
    ("question", "kind", "phrase"),
    [
        ("Ben fits 8 cars on each shelf and has several shelves. How many of 40 cars fit?", "vague", "several shelves"),
        ("Mia had many songs. She deleted 7 and added 24. How many has she now?", "vague", "had many songs"),
        (
            "It takes 2 hours to wash a dog and some hours to wash a cat. How long do 5 cats take?",
            "vague",
            "some hours",
        ),
        ("Dave won more than 11 tickets and spent 5. How many are left?", "bound", "more than 11"),
        ("A postman brings 4 to 6 letters to each of 16 houses. How many letters?", "bound", "4 to 6 letters"),
        ("There are 5 gardens with -32 pots each. How many pots are there?", "impossible", "-32 pots"),
        ("The club has 28 boys and splits into groups of 0. How many groups are there?", "impossible", "groups of 0"),
    ],
)
def test_an_amount_that_is_no_number_is_found(question: str, kind: str, phrase: str) -> None:
    assert unclear(question, "number") == Unclear(kind, phrase)  # type: ignore[arg-type]  # a row's text


@pytest.mark.parametrize(
    "question",
    [
        "Ann has 5 boxes of 3 apples. How many apples does she have?",
        "Several jugglers juggle 6 balls each. How many balls are needed if there are 378 jugglers?",
        "There were some birds in a tree. 6 flew away and 9 stayed. How many were there at first?",
        "How many dozens of eggs do 36 guests eat who eat 2 eggs each?",
        "Those who spend more than 50 dollars save 10 %. Kim spends 60 dollars. What does she pay?",
        "Pia has 5 more than 3 pens. How many pens has she?",
        "What is -3 + 5?",
        "How many integers between 3 and 30 have at least 2 digits?",
        "He works from 1 PM - 6 PM for 8 dollars an hour. How much does he earn?",
    ],
)
def test_what_says_all_that_it_takes_is_not_asked_about(question: str) -> None:
    assert unclear(question, "number") is None


def test_a_story_with_one_number_that_asks_for_another_lacks_one() -> None:
    assert unclear("Ann has 5 boxes of apples. How many apples does she have?", "text") == Unclear("alone", "")


@pytest.mark.parametrize(
    "question",
    [
        "I have 3 children. How much should I save for them?",
        "How many people live in Paris in 2020?",
        "Write a story about 5 foxes. They are sly.",
        "Ann likes apples. How many apples a day are healthy?",
    ],
)
def test_free_text_that_is_no_problem_is_not_asked_about(question: str) -> None:
    assert unclear(question, "text") is None


@pytest.mark.parametrize("form", ["expression", "choice", "yes-no", "code"])
def test_only_questions_about_a_number_are_read(form: str) -> None:
    assert unclear("Ben has several shelves for 8 and 9 cars. How many fit?", form) is None  # type: ignore[arg-type]


async def test_the_question_names_the_words_and_offers_to_answer_anyway(context_for: ContextFor) -> None:
    problem = asked("Dave won more than 11 tickets and spent 5. How many are left?")
    question = await WordingAsker().question(problem, context_for())
    assert question is not None
    assert "“more than 11”" in question.text
    assert question.text.endswith("?")
    assert question.choices == (ANSWER_ANYWAY,)


@pytest.mark.parametrize("piece", ["1", "1,", "how many ", "several ", "at least ", "- ", "a ", "-1 "])
@pytest.mark.parametrize("form", ["number", "text"])
def test_reading_takes_no_time_whatever_the_text(piece: str, form: str) -> None:
    for characters in (1900, 100_000):
        text = hostile("A. ", piece, characters)
        assert cpu_seconds(lambda text: unclear(text, form), text) < ENOUGH  # type: ignore[arg-type]


def test_a_temperature_may_be_below_zero_and_a_number_of_pencils_may_not() -> None:
    assert unclear("The temperature was -6 degrees and rose by 4. How many degrees is it now?", "number") is None
    found = unclear("Ann had -6 pencils and bought 4. How many pencils has she now?", "number")
    assert found is not None and found.kind == "impossible"


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        ("Ann sold several lamps below their value. How many lamps has she left?", True),
        ("In how many distinct arrangements can several books stand?", False),
    ],
)
def test_a_story_may_speak_of_a_value_and_counting_arrangements_is_mathematics(question: str, lacks: bool) -> None:
    assert may_lack(question) is lacks
