"""``program``: what the sandbox prints is the answer, and an error goes back to the model once."""

from dataclasses import replace

import pytest

from agents.events import Event, ToolFinished
from agents.program import Program
from tests.agents.conftest import ContextFor, asked
from tools.sandbox.bubblewrap import BubblewrapSandbox
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget, BudgetSpent

_BROKEN = "```python\nprint(1 / 0)\n```"
_RIGHT = "```python\nprint(6 * 7)\n```"


async def test_the_output_of_the_program_is_the_answer(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=say(f"Here you are:\n{_RIGHT}\nDone."))
    answer = await Program().solve(asked("What is 6 * 7?"), context_for())
    assert (answer.value, answer.evidence.program_ran) == ("42", True)
    assert answer.evidence.mean_logprob == pytest.approx(-0.1)


async def test_an_error_is_fed_back_with_what_python_said(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(replies=(say(_RIGHT, match="ZeroDivisionError"),), default=say(_BROKEN))
    answer = await Program().solve(asked("What is 6 * 7?"), context_for())
    assert answer.value == "42"
    assert [e.ok for e in seen if isinstance(e, ToolFinished)] == [False, True]


async def test_it_is_fed_back_once_and_then_there_is_no_answer(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=say(_BROKEN))
    answer = await Program().solve(asked("What is 6 * 7?"), context_for())
    assert (answer.value, answer.evidence.program_ran) == (None, False)
    assert scripted.stats.requests == 2


async def test_a_sandbox_that_runs_nothing_costs_one_call_and_is_named(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=say(_RIGHT))
    without = replace(context_for(), sandbox=BubblewrapSandbox("no-such-bwrap"))
    answer = await Program().solve(asked("What is 6 * 7?"), without)
    assert (answer.value, answer.evidence.program_ran) == (None, False)
    assert scripted.stats.requests == 1
    [finished] = [event for event in seen if isinstance(event, ToolFinished)]
    assert "apt-get install bubblewrap" in finished.output


async def test_without_a_code_block_the_model_is_asked_for_one(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=Reply(texts=("It is 42, of course.", _RIGHT)))
    assert (await Program().solve(asked("What is 6 * 7?"), context_for())).value == "42"


async def test_a_budget_for_one_call_keeps_what_that_call_gave(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=say(_BROKEN))
    answer = await Program().solve(asked("What is 6 * 7?"), context_for(Budget(calls=1)))
    assert answer.value is None
    assert scripted.stats.requests == 1


async def test_a_spent_ledger_starts_nothing(scripted: ScriptedServer, context_for: ContextFor) -> None:
    with pytest.raises(BudgetSpent):
        await Program().solve(asked("What is 6 * 7?"), context_for(Budget(calls=0)))
    assert scripted.stats.requests == 0
