"""``self-consistency``, ``short-m``, ``confidence`` and ``parallel``: samples vote, and losers stop on the engine."""

import pytest

from agents.confidence import Confidence
from agents.events import ContentDelta, Event, Verdict
from agents.parallel import Parallel
from agents.problem import Problem
from agents.self_consistency import SelfConsistency, SelfConsistencyOptions
from agents.short_m import ShortM
from agents.strategy import Strategy
from tests.agents.conftest import ContextFor, asked
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget, BudgetSpent
from workers.messages import Message

_QUESTION = asked("What is 6 * 7?")


def _texts(*answers: object) -> tuple[str, ...]:
    return tuple(f"So \\boxed{{{answer}}}" for answer in answers)


async def test_sampling_stops_as_soon_as_the_leader_cannot_reasonably_lose(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=say("So \\boxed{42}"))
    answer = await SelfConsistency().solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.votes, answer.evidence.agreement) == ("42", 4, 1.0)
    assert scripted.stats.requests == 4
    verdicts = [event for event in seen if isinstance(event, Verdict)]
    assert [(v.verifier, v.accepted, v.reason) for v in verdicts] == [("agreement", True, "votes of 4 samples: 42: 4")]


async def test_dissent_costs_more_samples_and_the_majority_wins(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=Reply(texts=_texts(41, 42, 42, 40, 42, 42, 39, 42)))
    answer = await SelfConsistency().solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.votes) == ("42", 8)
    assert answer.evidence.agreement == 5 / 8


async def test_programs_vote_by_what_they_print(scripted: ScriptedServer, context_for: ContextFor) -> None:
    texts = tuple(f"```python\nprint({n})\n```" for n in (42, 42, 7))
    scripted.script = Script(default=Reply(texts=texts))
    options = SelfConsistencyOptions(n=3, format="program", certainty=2.0, at_once=1)
    answer = await SelfConsistency(options).solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.program_ran, answer.evidence.agreement) == ("42", True, 2 / 3)


async def test_a_spent_budget_keeps_the_votes_that_were_cast(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=Reply(texts=_texts(41, 42, 42, 40)))
    answer = await SelfConsistency().solve(_QUESTION, context_for(Budget(calls=3)))
    assert (answer.value, answer.evidence.votes) == ("42", 3)


@pytest.mark.parametrize("strategy", [SelfConsistency(), ShortM(), Confidence(), Parallel()], ids=lambda s: s.name)
async def test_a_spent_ledger_starts_nothing(
    strategy: Strategy, scripted: ScriptedServer, context_for: ContextFor
) -> None:
    with pytest.raises(BudgetSpent):
        await strategy.solve(_QUESTION, context_for(Budget(calls=0)))
    assert scripted.stats.requests == 0


@pytest.mark.parametrize("strategy", [SelfConsistency(), ShortM(), Confidence(), Parallel()], ids=lambda s: s.name)
async def test_free_text_is_answered_at_once(
    strategy: Strategy, scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=say("A poem."))
    problem = Problem(messages=(Message(role="user", content="Write a poem."),))
    answer = await strategy.solve(problem, context_for())
    assert (answer.text, answer.streamed) == ("A poem.", True)
    assert "".join(event.text for event in seen if isinstance(event, ContentDelta)) == "A poem."
    assert scripted.stats.requests == 1
