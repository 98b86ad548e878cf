"""An answer in words to a question that names its choices, whichever strategy gives it."""

import pytest

from agents.calling_tools import CallingTools
from agents.cot import ChainOfThought
from agents.direct import Direct
from agents.parallel import Parallel
from agents.plan_tools import PlanTools
from agents.problem import Problem
from agents.program import Program
from agents.strategy import Strategy
from agents.tool_loop import ToolLoop
from agents.toolmaker import Toolmaker
from tests.agents.conftest import ContextFor
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

_QUESTION = "Is the following statement true or false? Six is more than seven.\nA. True\nB. False"
_WORDS = "Six is less, so the statement is False."
_PROGRAM = "```python\nprint(6 > 7)\n```"


@pytest.mark.parametrize(
    ("strategy", "written"),
    [
        *((strategy, _WORDS) for strategy in (ChainOfThought(), Direct(), CallingTools(), Parallel(), PlanTools())),
        *((strategy, _PROGRAM) for strategy in (Program(), ToolLoop(), Toolmaker())),
    ],
    ids=lambda value: getattr(value, "name", "words" if value == _WORDS else "program"),
)
async def test_its_value_is_the_letter(
    scripted: ScriptedServer, context_for: ContextFor, strategy: Strategy, written: str
) -> None:
    scripted.script = Script(default=say(written))
    problem = Problem(messages=(Message(role="user", content=_QUESTION),), form="choice")
    assert (await strategy.solve(problem, context_for())).value == "B"
