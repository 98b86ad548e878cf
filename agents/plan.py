"""``plan``: first a plan of the reasoning in plain words, then the answer by that plan.

After Self-Discover (Zhou et al. 2024), section 2, in the variant iSelf-Discover (Gunasekara and Ratnakar 2025): ways of
thinking are selected and adapted for each task alone, and the plan is free text, not a structure to be filled in.
"""

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from agents.conclusion import conclude, ending
from agents.problem import Answer, Problem
from agents.prompts import render
from agents.strategy import SolveContext, with_question, write


class PlanOptions(BaseModel):
    """``tokens`` bounds the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int = Field(default=256, ge=32)


class Plan:
    name = "plan"

    def __init__(self, options: PlanOptions = PlanOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        sampling = replace(problem.sampling, max_tokens=self._options.tokens, stop=())
        messages = with_question(problem.messages, render("plan", question=problem.question))
        plan = await write(context, context.writer(), messages, sampling, purpose="plan the reasoning")
        prompt = render("plan_solve", question=problem.question, plan=plan.text.strip(), ending=ending(problem))
        messages = with_question(problem.messages, prompt)
        return await conclude(self.name, problem, context, messages, purpose="follow the plan")
