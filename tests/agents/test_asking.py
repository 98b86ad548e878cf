"""When a question is asked for, and what it says."""

import pytest

from agents.asking import ANSWER_ANYWAY, SuspicionAsker, VerdictAsker, clarified
from agents.asking import Question as Asked
from agents.problem import Answer
from tests.agents.conftest import FIRST_TURN, FOLLOW_UP, ContextFor, asked
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget
from workers.messages import Message

PROBLEM = asked("Ann has 5 boxes of apples. How many apples does she have?")
SIX = Answer(text="6", value="6", strategy="program", model="only")
SEVEN = SIX.model_copy(update={"value": "7"})
NONE = SIX.model_copy(update={"value": None})
DOUBTS = say("no", match="everything that is needed")
SURE = say("yes", match="everything that is needed")
ASKS = say('"How many apples are in a box?" That would help.', match="short question to ask")


@pytest.mark.parametrize(
    ("attempts", "supported", "asks"),
    [([SIX, SEVEN], True, True), ([SIX], False, True), ([NONE], False, True), ([SIX, SIX], True, False)],
)
async def test_weak_evidence_and_doubt_lead_to_one_question(
    scripted: ScriptedServer, context_for: ContextFor, attempts: list[Answer], supported: bool, asks: bool
) -> None:
    scripted.script = Script(replies=(DOUBTS, ASKS))
    question = await VerdictAsker(weak=0.5, strong=1.1).question(PROBLEM, attempts, supported, context_for())
    expected = Asked(text="How many apples are in a box?", choices=(ANSWER_ANYWAY,))
    assert question == (expected if asks else None)


async def test_without_doubt_nothing_is_asked(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(replies=(SURE, ASKS))
    assert await VerdictAsker(weak=0.5, strong=1.1).question(PROBLEM, [NONE], False, context_for()) is None
    assert scripted.stats.requests == 1


@pytest.mark.parametrize(("second", "asks"), [("7", True), ("6", False), ("6.0", False)])
async def test_a_supported_answer_is_asked_about_only_if_a_second_opinion_differs(
    scripted: ScriptedServer, context_for: ContextFor, second: str, asks: bool
) -> None:
    scripted.script = Script(replies=(DOUBTS, ASKS, say(f"\\boxed{{{second}}}", match="step by step")))
    question = await VerdictAsker(weak=0.5, strong=0.5).question(PROBLEM, [SIX], True, context_for())
    assert (question is not None) == asks


async def test_what_is_no_question_is_not_asked(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(replies=(DOUBTS,), default=say("I am not sure what to ask."))
    assert await VerdictAsker(weak=0.5, strong=1.1).question(PROBLEM, [NONE], False, context_for()) is None


async def test_a_spent_budget_lets_the_answer_stand(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(replies=(DOUBTS, ASKS))
    context = context_for(Budget(calls=1))
    assert await VerdictAsker(weak=0.5, strong=1.1).question(PROBLEM, [NONE], False, context) is None


def test_the_reply_completes_the_question_that_was_asked_about() -> None:
    earlier = (Message(role="system", content="Be brief."), *PROBLEM.messages)
    system, question = clarified(earlier, Asked(text="How many in a box?"), "ten")
    assert system.content == "Be brief."
    assert question.content.startswith("Ann has 5 boxes")
    assert "How many in a box?" in question.content
    assert question.content.endswith("ten")


async def test_a_follow_up_is_judged_and_asked_about_in_its_thread(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(replies=(DOUBTS, ASKS))
    assert await VerdictAsker(weak=0.5, strong=1.1).question(FOLLOW_UP, [NONE], False, context_for()) is not None
    for prompt, task in zip(scripted.stats.prompts, ("everything that is needed", "short question"), strict=True):
        places = [prompt.index(text) for text in (*(m.content for m in FIRST_TURN), FOLLOW_UP.question, task)]
        assert places == sorted(places)


class _Suspects:
    """Suspects every question as much."""

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def probability(self, question: str) -> float:
        return self._probability


@pytest.mark.parametrize(("suspicion", "asks"), [(0.6, True), (0.59, False)])
async def test_suspicion_from_the_bound_on_leads_to_a_question(
    scripted: ScriptedServer, context_for: ContextFor, suspicion: float, asks: bool
) -> None:
    scripted.script = Script(replies=(ASKS,))
    question = await SuspicionAsker(_Suspects(suspicion), 0.6).question(PROBLEM, context_for())
    expected = Asked(text="How many apples are in a box?", choices=(ANSWER_ANYWAY,))
    assert question == (expected if asks else None)
    assert scripted.stats.requests == asks, "no model is asked where nothing is suspected"


@pytest.mark.parametrize("text", ["How many integers are between 3 and 9?", "Tell me a story about 3 pigs."])
async def test_what_is_no_story_that_asks_for_an_amount_is_not_suspected(
    scripted: ScriptedServer, context_for: ContextFor, text: str
) -> None:
    problem = asked(text).model_copy(update={"form": "number" if "integers" in text else "text"})
    assert await SuspicionAsker(_Suspects(1.0), 0.6).question(problem, context_for()) is None
    assert scripted.stats.requests == 0


async def test_suspicion_without_a_budget_asks_nothing(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(replies=(ASKS,))
    assert await SuspicionAsker(_Suspects(1.0), 0.6).question(PROBLEM, context_for(Budget(calls=0))) is None


async def test_what_a_follow_up_lacks_may_have_been_told_before(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(replies=(ASKS,))
    assert await SuspicionAsker(_Suspects(1.0), 0.6).question(FOLLOW_UP, context_for()) is None
    ruled = asked(PROBLEM.question, Message(role="system", content="Be brief."))
    assert await SuspicionAsker(_Suspects(1.0), 0.6).question(ruled, context_for()) is not None
