"""Verifiers over a scripted model, the real sandbox and the real solver."""

import threading

import pytest

from agents.events import Event, Verdict
from agents.problem import Answer
from agents.verifier import Verifier
from agents.verifying.constraints import Constraints
from agents.verifying.entailment import Entailment, steps_in
from agents.verifying.judge import Judge
from tests.agents.conftest import FIRST_TURN, FOLLOW_UP, ContextFor, asked
from tests.agents.test_logic import THREE
from tests.agents.test_logic import asked as deduction
from tools.verifiers.logic.question import LogicQuestion, find_logic
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


def answer(text: str, value: str | None = None) -> Answer:
    return Answer(text=text, value=value, strategy="cot", model="only")


def verdict(seen: list[Event]) -> Verdict:
    [found] = [e for e in seen if isinstance(e, Verdict)]
    return found


@pytest.mark.parametrize(("word", "score"), [("yes", 1.0), ("No, it is not.", 0.0), ("Hm.", None)])
async def test_the_judges_first_word_is_its_verdict(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event], word: str, score: float | None
) -> None:
    scripted.script = Script(default=say(word))
    given = await Judge("only").score(asked("What is 6 * 7?"), answer("6 * 7 = 42", "42"), context_for())
    assert given == score
    assert verdict(seen).accepted == (None if score is None else score > 0.5)


async def test_a_judges_score_is_calibrated_on_outcomes(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=say("yes"))
    judge = Judge("only", calibrate=lambda given: given / 3)
    score = await judge.score(asked("What is 6 * 7?"), answer("42", "42"), context_for())
    assert score == pytest.approx(1 / 3)


@pytest.mark.parametrize("verifier", [Judge("only"), Constraints()])
async def test_the_answer_to_a_follow_up_is_judged_in_its_thread(
    scripted: ScriptedServer, context_for: ContextFor, verifier: Verifier
) -> None:
    scripted.script = Script(default=say("yes"))
    await verifier.score(FOLLOW_UP, answer("12 - 2 * 3 = 6", "6"), context_for())
    [prompt] = scripted.stats.prompts
    places = [prompt.index(text) for text in (*(m.content for m in FIRST_TURN), FOLLOW_UP.question, "answer: 6")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("third", "score", "said"),
    [
        ("Animal(tom)", 1.0, "all 1 steps follow"),
        ("not Animal(tom)", 0.0, "contradicted: Tom is what I say."),
        ("Happy(tom)", 0.0, "ungrounded: Tom is what I say."),
        ("import os", None, None),
        ("Animal(tom, tom)", None, None),
    ],
)
async def test_the_step_that_does_not_follow_is_named(
    scripted: ScriptedServer,
    context_for: ContextFor,
    seen: list[Event],
    third: str,
    score: float | None,
    said: str | None,
) -> None:
    scripted.script = Script(default=say(f"1. all x. (Cat(x) -> Animal(x))\n2. Cat(tom)\n3. {third}"))
    derivation = answer("1. Tom is what I say.\nSo the answer is \\boxed{A}.", "A")
    assert await Entailment().score(deduction(THREE), derivation, context_for()) == score
    if said is not None:
        assert verdict(seen).reason == said


async def test_a_step_that_uses_a_name_for_something_else_is_no_ground_for_later_ones(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    # The premises and the last step are plain, so the model goes on after them.
    scripted.script = Script(default=say("4. Happy(cat, Cat)\n5. Animal(tom, tom)"))
    derivation = answer("Tom is rather happy. Tom is two animals. Tom is an animal.")
    steps = await Entailment().steps(deduction(THREE), derivation, context_for())
    assert [step.standing for step in steps] == ["unread", "unread", "entailed"]


async def test_a_question_is_searched_for_its_parts_beside_the_event_loop(
    scripted: ScriptedServer, context_for: ContextFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def find(question: str) -> LogicQuestion | None:
        threads.append(threading.current_thread())
        return find_logic(question)

    monkeypatch.setattr("agents.verifying.entailment.find_logic", find)
    await Entailment().steps(deduction(THREE), answer("Tom is an animal."), context_for())
    assert threads and threading.current_thread() not in threads


def test_steps_are_sentences_without_the_final_verdict() -> None:
    text = "Let us see:\n- Tom is a cat. Every cat is an animal!\n2) Thus Tom is an animal.\nThe answer is A."
    assert steps_in(text) == ("Tom is a cat.", "Every cat is an animal!", "Thus Tom is an animal.")


@pytest.mark.parametrize(
    ("program", "score"),
    [("print('yes' if 42 / 6 == 7 else 'no')", 1.0), ("print('No.')", 0.0), ("1 / 0", None), ("print(42)", None)],
)
async def test_a_program_checks_the_conditions(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event], program: str, score: float | None
) -> None:
    scripted.script = Script(default=say(f"```python\n{program}\n```"))
    given = await Constraints().score(asked("What is 6 * 7?"), answer("42", "42"), context_for())
    assert given == score
    assert verdict(seen).accepted == (None if score is None else score == 1.0)
