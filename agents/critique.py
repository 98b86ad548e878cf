"""``critique``: a draft has to pass critical questions before it is given as the answer.

After Critical-Questions-of-Thought (Castagna et al. 2024), section 3: eight questions on Toulmin's scheme of argument;
with at least seven passed the draft stands, else it is written again.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, Field

from agents.conclusion import ending, reasoned
from agents.events import Verdict
from agents.problem import Answer, Problem
from agents.prompts import render
from agents.strategy import SolveContext, with_question, write
from workers.engines.protocol import Sampling
from workers.ledger import BudgetSpent

_QUESTIONS = 8
_VERDICT_TOKENS = 96
_LINE = re.compile(r"^[^\w\n]*([1-8])\W+(yes|no)\b", re.IGNORECASE | re.MULTILINE)
_QUESTION = re.compile(r"^(\d)\. (.+)$", re.MULTILINE)


class CritiqueOptions(BaseModel):
    """``passing`` of the eight questions let a draft stand; it is revised at most ``revisions`` times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passing: int = Field(default=7, ge=1, le=_QUESTIONS)
    revisions: int = Field(default=2, ge=0, le=10)


@dataclass(frozen=True, slots=True)
class _Examination:
    """``failed`` are the questions that the draft did not pass, one a line."""

    passed: int
    failed: str


class Critique:
    name = "critique"

    def __init__(self, options: CritiqueOptions = CritiqueOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        opening = render("cot" if problem.checkable else "cot_open", question=problem.question)
        draft = await self._draft(problem, context, opening, "write a draft")
        best, most = draft, -1
        # Without budget for more the best draft so far is the answer.
        with suppress(BudgetSpent):
            for turn in range(self._options.revisions + 1):
                examined = await self._examine(problem, context, draft)
                if examined is None:
                    return draft
                if examined.passed >= most:
                    best, most = draft, examined.passed
                if examined.passed >= self._options.passing or turn == self._options.revisions:
                    break
                revision = render(
                    "critical_revision",
                    question=problem.question,
                    draft=draft.text,
                    failed=examined.failed,
                    ending=ending(problem),
                )
                draft = await self._draft(problem, context, revision, "revise the draft")
        return best

    async def _draft(self, problem: Problem, context: SolveContext, prompt: str, purpose: str) -> Answer:
        sampling = replace(problem.sampling, max_tokens=context.step_tokens, stop=())
        messages = with_question(problem.messages, prompt)
        completion = await write(context, context.writer(), messages, sampling, purpose=purpose)
        return reasoned(self.name, problem, context, completion)

    async def _examine(self, problem: Problem, context: SolveContext, draft: Answer) -> _Examination | None:
        """What the model answers to the critical questions; None where it answers none of them."""
        prompt = render("critical_questions", question=problem.question, draft=draft.text)
        messages = with_question(problem.messages, prompt)
        sampling = Sampling(max_tokens=_VERDICT_TOKENS)
        completion = await write(context, context.writer(), messages, sampling, purpose="ask the critical questions")
        answers = {number: word.lower() for number, word in _LINE.findall(completion.text)}
        # A draft may number its lines too; the questions come after it, and the last of a number counts.
        questions = dict(_QUESTION.findall(prompt))
        failed = [f"- {text}" for number, text in questions.items() if answers.get(number) == "no"]
        passed = sum(word == "yes" for word in answers.values())
        stands = passed >= self._options.passing if answers else None
        reason = f"{passed} of {_QUESTIONS} critical questions passed" if answers else "no critical question answered"
        await context.emit(Verdict(verifier="critique", accepted=stands, reason=reason))
        return _Examination(passed, "\n".join(failed)) if answers else None
