"""``logic``: translations are sampled, decided and voted; without a usable one the model reasons in words."""

import pytest

from agents.events import Event, ToolStarted, Verdict
from agents.logic import Logic, LogicOptions
from agents.problem import AnswerForm, Problem
from tests.agents.conftest import ContextFor
from workers.engines.protocol import Sampling
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

PREMISES = "Every cat is an animal. Tom is a cat."
CHOICES = "\nA. True\nB. False\nC. Unknown"
THREE = f"{PREMISES}\n\nIs the following statement true, false, or unknown? Tom is an animal.{CHOICES}"
FOLLOWS = "1. Tom is an animal. := Animal(tom)\n2. all x. (Cat(x) -> Animal(x))\n3. Cat(tom)"
OPEN = "1. Happy(tom)\n2. all x. (Cat(x) -> Animal(x))\n3. Cat(tom)"
SPOILED = "1. Tom is not Animal(tom).\n2. Every cat … := `all x. (Cat(x) -> Animal(x)))`\n3. Tom is a Cats(Tom)"
BROKEN = "1. ))\n2. for every cat, it holds\n3. import os"
TRANSLATED = LogicOptions(plain=False)
MIXED = "Every cat is an animal. It is known of Tom that he is a cat."


def asked(text: str, form: AnswerForm = "choice") -> Problem:
    return Problem(messages=(Message(role="user", content=text),), form=form, sampling=Sampling(seed=0))


@pytest.mark.parametrize(
    ("texts", "value", "requests"),
    [
        ((FOLLOWS,), "A", 2),
        ((BROKEN, FOLLOWS, FOLLOWS), "A", 3),
        ((OPEN, FOLLOWS, OPEN), "C", 3),
        ((FOLLOWS.replace(":= ", ":= not "),), "B", 2),
        # What small models write by habit.
        ((SPOILED,), "B", 2),
    ],
)
async def test_the_majority_of_decided_translations_is_the_answer(
    scripted: ScriptedServer, context_for: ContextFor, texts: tuple[str, ...], value: str, requests: int
) -> None:
    scripted.script = Script(default=Reply(texts=texts))
    answer = await Logic(TRANSLATED).solve(asked(THREE), context_for())
    assert (answer.value, answer.strategy, answer.evidence.program_ran) == (value, "logic", True)
    assert scripted.stats.requests == requests


async def test_yes_no_questions_are_answered_yes_or_no(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=say(FOLLOWS))
    question = f"{PREMISES}\nTrue or false: Tom is an animal."
    assert (await Logic(TRANSLATED).solve(asked(question, "yes-no"), context_for())).value == "yes"


async def test_without_a_usable_translation_the_model_reasons_in_words(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(replies=(say("So it is \\boxed{B}.", match="step by step"),), default=say(BROKEN))
    answer = await Logic(TRANSLATED).solve(asked(THREE), context_for())
    assert (answer.value, answer.strategy) == ("B", "cot")
    assert [e.accepted for e in seen if isinstance(e, Verdict)] == [None]


async def test_uncertain_counts_for_nothing_where_a_premise_was_lost(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    lost = "1. Animal(tom)\n2. all x. (Cat(x) -> Animal(x))"
    scripted.script = Script(replies=(say("\\boxed{A}", match="step by step"),), default=say(lost))
    assert (await Logic(TRANSLATED).solve(asked(THREE), context_for())).strategy == "cot"


@pytest.mark.parametrize(
    ("statement", "value"), [("Tom is an animal.", "A"), ("Tom is not an animal.", "B"), ("Tom is happy.", "C")]
)
async def test_plain_sentences_are_decided_without_a_model(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event], statement: str, value: str
) -> None:
    answer = await Logic().solve(asked(THREE.replace("Tom is an animal.", statement)), context_for())
    assert (answer.value, answer.strategy, answer.evidence.program_ran) == (value, "logic", True)
    assert scripted.stats.requests == 0
    # The reader sees how each sentence was read.
    [started] = [event for event in seen if isinstance(event, ToolStarted)]
    assert "; Every cat is an animal. := all x. (Cat(x) -> Animal(x))" in started.input


async def test_the_model_translates_what_is_not_plain_in_the_words_of_what_was_read(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    question = f"{MIXED}\n\nIs the following statement true, false, or unknown? Tom is an animal.{CHOICES}"
    asks = r"3\. It is known of Tom that he is a cat\.\n\nFormulas:\n1\. Tom is an animal\. := Animal\(tom\)\n2\. Every"
    scripted.script = Script(replies=(say("3. := Cat(tom)", match=asks),), default=say(BROKEN))
    assert (await Logic().solve(asked(question), context_for())).value == "A"


async def test_a_premise_that_mixes_up_kinds_and_things_is_left_out(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    mixed = f"{PREMISES} Cats purr."
    question = f"{mixed}\n\nIs the following statement true, false, or unknown? Tom is an animal.{CHOICES}"
    scripted.script = Script(default=say(f"{FOLLOWS}\n4. Purr(cat)"))
    assert (await Logic(TRANSLATED).solve(asked(question), context_for())).value == "A"


async def test_one_usable_translation_of_three_is_no_evidence(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=Reply(texts=(OPEN, BROKEN, BROKEN)))
    answer = await Logic(TRANSLATED).solve(asked(THREE), context_for())
    assert (answer.value, answer.evidence.program_ran) == ("C", False)
    assert [e.accepted for e in seen if isinstance(e, Verdict)] == [False]
