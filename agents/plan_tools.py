"""``plan-tools``: one plan of tool calls, all of them carried out, one answer from what they found.

After ReWOO (Xu et al. 2023), section 2: the planner writes every call at once, with places for results that do not
exist yet; workers fill them in, independent ones side by side; the solver sees plan and evidence. No result goes back
to the planner, and a tool that fails leaves its error as evidence. On offer are a calculator, a question to the model
itself, and the tools that the caller may use.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from agents.branches import Job, branches
from agents.conclusion import conclude, ending
from agents.evidence_tools import Ask, Calculate, EvidenceTool, FromToolbox
from agents.problem import Answer, Problem
from agents.prompts import render
from agents.strategy import SolveContext, with_question, write
from agents.tool_plan import Step, filled, read_plan, ready
from agents.untrusted import neutralised
from workers.ledger import BudgetSpent

_SHOWN = 2000

_Tools = Mapping[str, EvidenceTool]
"""Tools by their names as a plan writes them, in small letters."""


class PlanToolsOptions(BaseModel):
    """At most ``steps`` tool calls; ``tokens`` bounds the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=6, ge=1, le=20)
    tokens: int = Field(default=320, ge=32)


class PlanTools:
    name = "plan-tools"

    def __init__(self, options: PlanToolsOptions = PlanToolsOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        tools = await _offered(context)
        steps = await self._plan(problem, context, tools)
        found: dict[str, str] = {}
        while len(found) < len(steps):
            found |= await _work(problem, context, tools, ready(steps, found), found)
        prompt = render(
            "plan_tools_solve",
            question=problem.question,
            findings="\n\n".join(_finding(step, found) for step in steps) or "(none)",
            ending=ending(problem),
        )
        messages = with_question(problem.messages, prompt)
        return await conclude(self.name, problem, context, messages, purpose="solve with the findings")

    async def _plan(self, problem: Problem, context: SolveContext, tools: _Tools) -> list[Step]:
        listed = "\n".join(f"- {tool.description}" for tool in tools.values())
        prompt = render(
            "plan_tools",
            question=problem.question,
            tools=listed,
            objects="yes" if "[{" in listed else "",
            most=str(self._options.steps),
        )
        sampling = replace(problem.sampling, max_tokens=self._options.tokens, stop=())
        messages = with_question(problem.messages, prompt)
        completion = await write(context, context.writer(), messages, sampling, purpose="plan the tool calls")
        return read_plan(completion.text, self._options.steps)


async def _offered(context: SolveContext) -> _Tools:
    tools: list[EvidenceTool] = [Calculate(), Ask()]
    if context.toolbox is not None:
        toolbox = await context.toolbox()
        tools += [FromToolbox(tool, toolbox) for tool in toolbox.tools]
    return {tool.name.lower(): tool for tool in tools}


async def _work(
    problem: Problem, context: SolveContext, tools: _Tools, steps: Sequence[Step], found: Mapping[str, str]
) -> dict[str, str]:
    """Carry steps out side by side; every one of them has a result afterwards, fit for a prompt."""
    jobs = [_job(tools, step, filled(step, found), problem) for step in steps]
    results = {step.name: "the budget was spent before this step" for step in steps}
    with suppress(BudgetSpent):
        async with aclosing(branches(context, jobs)) as stream:
            async for finished in stream:
                results[steps[finished.index].name] = neutralised(finished.result[:_SHOWN])
    return results


def _job(tools: _Tools, step: Step, text: str, problem: Problem) -> Job[str]:
    async def run(context: SolveContext) -> str:
        tool = tools.get(step.tool)
        if tool is None:
            return f"there is no tool {step.tool!r}; there are: {', '.join(tools)}"
        return await tool.find(text, problem, context)

    return run


def _finding(step: Step, found: Mapping[str, str]) -> str:
    return f"{step.purpose}\n{step.name} = {step.tool}[{step.input}]\n```\n{found[step.name]}\n```".strip()
