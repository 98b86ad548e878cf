"""``refine``: drafts side by side, distilled into short notes, from which the answer is written anew.

After PDR, Parallel-Distill-Refine (Madaan et al. 2025), section 3: every round but the last writes drafts that know the
notes of the round before, and distils them into notes of bounded length; the last one writes the answer. With one
draft a round it is Sequential Refinement: the draft itself takes the place of the notes.
"""

from contextlib import aclosing
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from agents.conclusion import conclude, ending, reasoned
from agents.problem import Answer, Problem
from agents.prompts import render
from agents.sampling import Draw, Sample, samples
from agents.strategy import SolveContext, with_question, write
from agents.voting import elected, parties, verdict_of
from workers.ledger import BudgetSpent
from workers.messages import Message


class RefineOptions(BaseModel):
    """``drafts`` in each of ``rounds`` − 1 rounds, notes of at most ``workspace`` tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drafts: int = Field(default=3, ge=1, le=16)
    rounds: int = Field(default=2, ge=2, le=8)
    workspace: int = Field(default=256, ge=32)
    temperature: float = Field(default=0.7, ge=0)


class Refine:
    name = "refine"

    def __init__(self, options: RefineOptions = RefineOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        drafts: list[Sample] = []
        workspace = ""
        try:
            for turn in range(self._options.rounds - 1):
                drafts = await self._drafted(problem, context, workspace, turn * self._options.drafts)
                workspace = await self._distilled(problem, context, drafts)
            messages = _messages(problem, workspace)
            refined = await conclude(self.name, problem, context, messages, purpose="write the answer anew")
        except BudgetSpent:
            if not drafts:
                raise
            return await self._leading(problem, context, drafts)
        if problem.checkable and refined.value is None:
            return await self._leading(problem, context, drafts)
        return refined

    async def _drafted(self, problem: Problem, context: SolveContext, workspace: str, first: int) -> list[Sample]:
        draw = Draw(self._options.drafts, self._options.temperature, first=first)
        async with aclosing(samples(_Draft(workspace), problem, context, draw)) as stream:
            return sorted([sample async for sample in stream], key=lambda sample: sample.index)

    async def _distilled(self, problem: Problem, context: SolveContext, drafts: list[Sample]) -> str:
        if len(drafts) == 1:
            return drafts[0].answer.text
        shown = "\n\n".join(f"Attempt {i}:\n{draft.answer.text}" for i, draft in enumerate(drafts, 1))
        prompt = render("distil", question=problem.question, drafts=shown)
        sampling = replace(problem.sampling, max_tokens=self._options.workspace, stop=())
        messages = with_question(problem.messages, prompt)
        notes = await write(context, context.writer(), messages, sampling, purpose="distil the drafts into notes")
        return notes.text.strip()

    async def _leading(self, problem: Problem, context: SolveContext, drafts: list[Sample]) -> Answer:
        """The drafts' own answer, where refining them gave none."""
        found = await parties(drafts, problem.form) if problem.checkable else []
        await context.emit(verdict_of("agreement", found, len(drafts)))
        return elected(self.name, found, drafts)


class _Draft:
    """One draft; ``workspace`` is what the round before left, empty in the first."""

    name = "refine"

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        messages = _messages(problem, self._workspace)
        completion = await write(context, context.writer(), messages, sampling, purpose="write a draft")
        return reasoned(self.name, problem, context, completion)


def _messages(problem: Problem, workspace: str) -> tuple[Message, ...]:
    if workspace:
        prompt = render("refine", question=problem.question, workspace=workspace, ending=ending(problem))
    else:
        prompt = render("cot" if problem.checkable else "cot_open", question=problem.question)
    return with_question(problem.messages, prompt)
