"""``refine``, ``plan`` and ``critique``: several calls for one answer."""

import pytest

from agents.critique import Critique, CritiqueOptions
from agents.events import ContentDelta, Event, StepStarted, Verdict
from agents.plan import Plan
from agents.problem import Problem
from agents.refine import Refine, RefineOptions
from agents.strategy import Strategy
from tests.agents.conftest import ContextFor, asked
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget
from workers.messages import Message

_QUESTION = asked("What is 6 * 7?")
_OPEN = Problem(messages=(Message(role="user", content="Why is the sky blue?"),))
_NOTES = say("All agree on the product.", match="Below are attempts")


async def test_drafts_are_distilled_and_the_answer_is_written_from_the_notes(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    drafts = Reply(match="reason step by step", texts=tuple(f"Draft {n}: \\boxed{{{n}}}" for n in (40, 41, 42)))
    scripted.script = Script(replies=(_NOTES, say("Anew: \\boxed{42}", match="All agree"), drafts))
    answer = await Refine().solve(_QUESTION, context_for())
    assert (answer.value, answer.strategy) == ("42", "refine")
    assert scripted.stats.requests == 5
    distilled = next(prompt for prompt in scripted.stats.prompts if "Below are attempts" in prompt)
    assert all(f"Draft {n}" in distilled for n in (40, 41, 42))


async def test_one_draft_is_refined_without_notes(scripted: ScriptedServer, context_for: ContextFor) -> None:
    first = say("First \\boxed{40}", match="reason step by step")
    scripted.script = Script(replies=(say("Second \\boxed{42}", match="First"), first))
    answer = await Refine(RefineOptions(drafts=1)).solve(_QUESTION, context_for())
    assert answer.value == "42"
    assert scripted.stats.requests == 2


async def test_when_the_budget_ends_after_the_drafts_they_vote(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=Reply(texts=tuple(f"\\boxed{{{n}}}" for n in (42, 41, 42))))
    answer = await Refine().solve(_QUESTION, context_for(Budget(calls=3)))
    assert (answer.value, answer.evidence.agreement) == ("42", 2 / 3)


async def test_a_plan_comes_before_the_answer(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(
        replies=(say("1. multiply", match="write a plan"), say("So \\boxed{42}", match="1. multiply"))
    )
    answer = await Plan().solve(_QUESTION, context_for())
    assert (answer.value, answer.strategy) == ("42", "plan")
    assert [event.purpose for event in seen if isinstance(event, StepStarted)] == [
        "plan the reasoning",
        "follow the plan",
    ]


def _examined(*answers: str) -> Reply:
    lines = "\n".join(f"{number}. {answer}" for number, answer in enumerate(answers, 1))
    return say(lines, match="Answer each question")


async def test_a_draft_that_passes_stands(scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]) -> None:
    scripted.script = Script(replies=(_examined(*["Yes"] * 7, "No"),), default=say("So \\boxed{42}"))
    answer = await Critique().solve(_QUESTION, context_for())
    assert answer.value == "42"
    assert scripted.stats.requests == 2
    assert [(e.verifier, e.accepted) for e in seen if isinstance(e, Verdict)] == [("critique", True)]


async def test_a_draft_that_fails_is_revised_with_the_questions_it_failed(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    replies = (
        _examined("yes", "no", "yes", "no", "yes", "no", "yes", "yes"),
        say("1. So \\boxed{42}", match="did not pass"),
    )
    scripted.script = Script(replies=replies, default=say("1. First.\n2. Second.\nSo \\boxed{41}"))
    answer = await Critique(CritiqueOptions(revisions=1)).solve(_QUESTION, context_for())
    assert answer.value == "42", "of two drafts that pass as many questions the revised one"
    revision = next(prompt for prompt in scripted.stats.prompts if "did not pass" in prompt)
    failed = revision[revision.index("did not pass") :]
    assert "- Are all premises given" in failed
    assert "Is it free of fallacies" not in failed
    assert "- Second." not in failed


async def test_a_critic_that_answers_nothing_changes_nothing(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(replies=(say("Looks fine.", match="Answer each question"),), default=say("\\boxed{42}"))
    assert (await Critique().solve(_QUESTION, context_for())).value == "42"
    assert scripted.stats.requests == 2


async def test_without_budget_for_the_questions_the_draft_is_the_answer(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=say("\\boxed{42}"))
    assert (await Critique().solve(_QUESTION, context_for(Budget(calls=1)))).value == "42"


@pytest.mark.parametrize("strategy", [Refine(), Plan()], ids=lambda strategy: strategy.name)
async def test_free_text_reaches_the_reader_once_and_as_it_is_written(
    strategy: Strategy, scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    final = say("Scattering.", match="Notes from earlier|Follow this plan")
    scripted.script = Script(replies=(final,), default=say("something internal"))
    answer = await strategy.solve(_OPEN, context_for())
    assert (answer.text, answer.streamed, answer.value) == ("Scattering.", True, None)
    assert "".join(event.text for event in seen if isinstance(event, ContentDelta)) == "Scattering."


async def test_a_critique_of_free_text_gives_the_draft_that_stood(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(replies=(_examined(*["yes"] * 8),), default=say("Scattering."))
    answer = await Critique().solve(_OPEN, context_for())
    assert (answer.text, answer.streamed) == ("Scattering.", False)
