"""``consensus``: three cheap formats vote, and only disagreement calls the judge."""

from agents.consensus import Consensus
from agents.events import Event, Verdict
from tests.agents.conftest import ContextFor, asked
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget

_PROGRAM = say("```python\nprint(42)\n```", match="Python program")


async def test_three_equal_votes_need_no_judge(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(replies=(_PROGRAM, say("So \\boxed{42.0}", match="step by step")), default=say("42"))
    answer = await Consensus().solve(asked("What is 6 * 7?"), context_for())
    assert (answer.value, answer.evidence.agreement, answer.strategy) == ("42", 1.0, "consensus")
    assert scripted.stats.requests == 3
    assert [e.accepted for e in seen if isinstance(e, Verdict) and e.verifier == "agreement"] == [True]


async def test_disagreement_is_decided_by_the_judge(scripted: ScriptedServer, context_for: ContextFor) -> None:
    thoughts = Reply(match="step by step", texts=("So \\boxed{41}", "No: \\boxed{43}"))
    scripted.script = Script(replies=(_PROGRAM, thoughts), default=say("7"))
    answer = await Consensus().solve(asked("What is 6 * 7?"), context_for())
    assert answer.value == "43"
    assert scripted.stats.requests == 4


async def test_without_budget_for_a_judge_the_leading_vote_counts(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(replies=(_PROGRAM, say("So \\boxed{42}", match="step by step")), default=say("7"))
    answer = await Consensus().solve(asked("What is 6 * 7?"), context_for(Budget(calls=3)))
    assert answer.value == "42"
    assert answer.evidence.agreement == 2 / 3
