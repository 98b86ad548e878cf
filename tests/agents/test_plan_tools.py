"""``plan-tools``: one plan, all its tools, one answer; and how a plan is read."""

import asyncio

from agents.events import ContentDelta, Event, ToolFinished
from agents.plan_tools import PlanTools
from agents.problem import Problem
from agents.strategy import SolveContext
from agents.tool_plan import Step, filled, read_plan, ready
from tests.agents.conftest import ContextFor, asked
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

_QUESTION = asked("What is 6 * 7 + 1?")
_PLAN = """Plan: multiply
#E1 = calculate[6 * 7]
Plan: add
#E2 = calculate[#E1 + 1]"""


async def test_results_fill_the_inputs_of_later_steps_and_the_solver_sees_them(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(replies=(say("So \\boxed{43}", match="tools found"),), default=say(_PLAN))
    answer = await PlanTools().solve(_QUESTION, context_for())
    assert answer.value == "43"
    assert scripted.stats.requests == 2, "no model call between the tools"
    assert [event.output for event in seen if isinstance(event, ToolFinished)] == ["42", "43"]
    assert "E2 = calculate[#E1 + 1]\n```\n43\n```" in scripted.stats.prompts[-1]


async def test_a_tool_that_fails_leaves_its_error_as_evidence(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    plan = "#E1 = calculate[6 * ]\n#E2 = telephone[mum]\n#E3 = calculate[#E9 + 1]"
    scripted.script = Script(replies=(say("So \\boxed{43}", match="tools found"),), default=say(plan))
    assert (await PlanTools().solve(_QUESTION, context_for())).value == "43"
    prompt = scripted.stats.prompts[-1]
    assert "SyntaxError" in prompt
    assert "there is no tool 'telephone'" in prompt


async def test_a_plan_that_cannot_be_read_leaves_the_question_to_the_solver(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(replies=(say("So \\boxed{43}", match="tools found"),), default=say("I would not know."))
    assert (await PlanTools().solve(_QUESTION, context_for())).value == "43"


async def test_free_text_is_written_to_the_reader(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    replies = (say("Paris, of course.", match="tools found"), say("Paris.", match="one or two sentences"))
    scripted.script = Script(replies=replies, default=say("#E1 = ask[What is the capital of France?]"))
    problem = Problem(messages=(Message(role="user", content="Tell me the capital of France."),))
    answer = await PlanTools().solve(problem, context_for())
    assert (answer.text, answer.streamed) == ("Paris, of course.", True)
    assert "".join(event.text for event in seen if isinstance(event, ContentDelta)) == "Paris, of course."


class _Meeting:
    """A tool that answers only once two calls of it run at the same time."""

    name = "meet"
    description = "meet[name]: waits for another"

    def __init__(self) -> None:
        self._waiting = 0
        self._both = asyncio.Event()

    async def find(self, text: str, problem: Problem, context: SolveContext) -> str:
        self._waiting += 1
        if self._waiting == 2:
            self._both.set()
        await asyncio.wait_for(self._both.wait(), 20)
        return f"met {text}"


async def test_independent_steps_run_side_by_side(scripted: ScriptedServer, context_for: ContextFor) -> None:
    plan = "#E1 = meet[Ann]\n#E2 = meet[Bob]"
    scripted.script = Script(replies=(say("So \\boxed{43}", match="tools found"),), default=say(plan))
    await PlanTools(tools=(_Meeting(),)).solve(_QUESTION, context_for())
    assert "met Ann" in scripted.stats.prompts[-1]
    assert "met Bob" in scripted.stats.prompts[-1]


def test_a_plan_is_read_line_by_line_and_bounded() -> None:
    text = "Sure!\nPlan: add\n- #E1 = Calculate[1 + [2]]\n#E1 = calculate[5]\n\nnonsense\n#E2 = ask[#E1?]\n#E3 = ask[x]"
    assert read_plan(text, 2) == [
        Step("E1", "calculate", "1 + [2]", "add"),
        Step("E2", "ask", "#E1?", ""),
    ]


def test_steps_in_a_circle_still_run() -> None:
    circle = [Step("E1", "ask", "#E2", ""), Step("E2", "ask", "#E1", "")]
    assert ready(circle, {}) == circle[:1]
    assert ready(circle, {"E1": "x"}) == circle[1:]


def test_a_calculation_takes_the_number_of_what_was_found() -> None:
    found = {"E1": "The price is 12 dollars."}
    assert filled(Step("E2", "calculate", "#E1 * 2", ""), found) == "(12) * 2"
    assert filled(Step("E2", "ask", "why #E1?", ""), found) == "why The price is 12 dollars.?"
