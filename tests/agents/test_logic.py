"""``logic``: translations are sampled, decided and voted; without a usable one the model reasons in words."""

import pytest

from agents.events import Event, Verdict
from agents.logic import Logic
from agents.problem import AnswerForm, Problem
from tests.agents.conftest import ContextFor
from workers.engines.protocol import Sampling
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

PREMISES = "Every cat is an animal. Tom is a cat."
CHOICES = "\nA. True\nB. False\nC. Unknown"
THREE = f"{PREMISES}\n\nIs the following statement true, false, or unknown? Tom is an animal.{CHOICES}"
FOLLOWS = "1. Every cat is an animal. := all x. (Cat(x) -> Animal(x))\n2. Cat(tom)\n3. Animal(tom)"
OPEN = "1. all x. (Cat(x) -> Animal(x))\n2. Cat(tom)\n3. Happy(tom)"
SPOILED = "1. Every cat … := `all x. (Cat(x) -> Animal(x)))`\n2. Tom is a Cats(Tom)\n3. Tom is not Animal(tom)."
BROKEN = "1. for every cat, it holds\n2. import os\n3. ))"


def asked(text: str, form: AnswerForm = "choice") -> Problem:
    return Problem(messages=(Message(role="user", content=text),), form=form, sampling=Sampling(seed=0))


@pytest.mark.parametrize(
    ("texts", "value", "requests"),
    [
        ((FOLLOWS,), "A", 2),
        ((BROKEN, FOLLOWS), "A", 3),
        ((OPEN, FOLLOWS, OPEN), "C", 3),
        ((FOLLOWS.replace("3. ", "3. not "),), "B", 2),
        # What small models write by habit.
        ((SPOILED,), "B", 2),
    ],
)
async def test_the_majority_of_decided_translations_is_the_answer(
    scripted: ScriptedServer, context_for: ContextFor, texts: tuple[str, ...], value: str, requests: int
) -> None:
    scripted.script = Script(default=Reply(texts=texts))
    answer = await Logic().solve(asked(THREE), context_for())
    assert (answer.value, answer.strategy, answer.evidence.program_ran) == (value, "logic", True)
    assert scripted.stats.requests == requests


async def test_yes_no_questions_are_answered_yes_or_no(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=say(FOLLOWS))
    question = f"{PREMISES}\nTrue or false: Tom is an animal."
    assert (await Logic().solve(asked(question, "yes-no"), context_for())).value == "yes"


async def test_without_a_usable_translation_the_model_reasons_in_words(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(replies=(say("So it is \\boxed{B}.", match="step by step"),), default=say(BROKEN))
    answer = await Logic().solve(asked(THREE), context_for())
    assert (answer.value, answer.strategy) == ("B", "cot")
    assert [e.accepted for e in seen if isinstance(e, Verdict)] == [None]


async def test_uncertain_counts_for_nothing_where_a_premise_was_lost(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    lost = "1. all x. (Cat(x) -> Animal(x))\n3. Animal(tom)"
    scripted.script = Script(replies=(say("\\boxed{A}", match="step by step"),), default=say(lost))
    assert (await Logic().solve(asked(THREE), context_for())).strategy == "cot"
