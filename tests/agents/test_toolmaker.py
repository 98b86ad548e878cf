"""``toolmaker``: a general tool first, then its use; what fails is rectified."""

from agents.events import Event, StepStarted, ToolFinished
from agents.toolmaker import Toolmaker
from tests.agents.conftest import ContextFor, asked
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget

_QUESTION = asked("What is 6 * 7?")
_TOOL = say(
    '```python\ndef product(a, b):\n    """a times b."""\n    return a * b\n```', match="reusable Python function"
)
_CALL = say("```python\nprint(product(6, 7))\n```", match="use what you wrote")
_WRONG_CALL = say("```python\nprint(produce(6, 7))\n```", match="use what you wrote")
_BOTH = "```python\ndef product(a, b):\n    return a * b\nprint(product(6, 7))\n```"


async def test_the_tool_is_written_before_it_is_used(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(replies=(_CALL, _TOOL))
    answer = await Toolmaker().solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.program_ran, answer.strategy) == ("42", True, "toolmaker")
    assert [event.purpose for event in seen if isinstance(event, StepStarted)] == [
        "create a tool",
        "decide how to use the tool",
    ]


async def test_a_failed_call_is_rectified_with_what_python_said(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(replies=(say(_BOTH, match="NameError"), _WRONG_CALL, _TOOL))
    answer = await Toolmaker().solve(_QUESTION, context_for())
    assert answer.value == "42"
    assert [event.ok for event in seen if isinstance(event, ToolFinished)] == [False, True]


async def test_it_is_rectified_twice_and_then_there_is_no_answer(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(replies=(say("```python\nprint(1 / 0)\n```", match="failed"), _WRONG_CALL, _TOOL))
    answer = await Toolmaker().solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.program_ran) == (None, False)
    assert scripted.stats.requests == 4


async def test_without_budget_to_rectify_the_failure_stands(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(replies=(_WRONG_CALL, _TOOL))
    assert (await Toolmaker().solve(_QUESTION, context_for(Budget(calls=2)))).value is None
    assert scripted.stats.requests == 2
