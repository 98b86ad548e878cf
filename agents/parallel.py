"""``parallel``: many short answers at once instead of one long one, and a choice among them.

After NoThinking (Ma et al. 2025), sections 2 and 4: the thinking part is skipped, samples run side by side, a verifier
chooses where there is one, else the answer with the most confidence behind it.
"""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.certainty import Measure
from agents.confidence import weights_of
from agents.direct import Direct
from agents.events import Verdict
from agents.problem import Answer, Evidence, Problem
from agents.prompts import render
from agents.sampling import Draw, samples
from agents.strategy import SolveContext, with_question, write
from agents.verifier import Verifier
from agents.voting import Party, elected, parties, verdict_of
from tools.verifiers.extract import final_answer
from workers.ledger import BudgetSpent

# The words of the paper: a thinking part that is already over.
_THOUGHT = "<think>\nOkay, I think I have finished thinking.\n</think>\n\n"


class ParallelOptions(BaseModel):
    """``n`` answers of at most ``tokens`` tokens. ``skip`` says how the thinking is skipped: by asking for that alone
    ("ask"), by beginning the answer with words after which it is short ("begin": small models do not do it when they
    are only asked), or, on models that think in a part of their own, by beginning with an empty one ("prefill")."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int = Field(default=5, ge=1, le=64)
    tokens: int = Field(default=256, ge=16)
    temperature: float = Field(default=0.7, ge=0)
    skip: Literal["ask", "begin", "prefill"] = "begin"
    measure: Measure = "mean"
    window: int = Field(default=64, ge=1)
    top: int = Field(default=20, ge=2, le=100)


class Parallel:
    """``verifier`` chooses among the answers; without one, or where it cannot tell, they vote by confidence."""

    name = "parallel"

    def __init__(self, options: ParallelOptions = ParallelOptions(), verifier: Verifier | None = None) -> None:
        self._options = options
        self._verifier = verifier

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await Direct().solve(problem, context)
        options = self._options
        draw = Draw(options.n, options.temperature, top_logprobs=options.top)
        attempt = _ShortAnswer(options.tokens, self._opening(problem))
        async with aclosing(samples(attempt, problem, context, draw)) as stream:
            votes = [sample async for sample in stream]
        found = await parties(votes, problem.form, weights_of(votes, options.measure, options.window))
        chosen = await self._verified(problem, context, found)
        if chosen is not None:
            return elected(self.name, chosen, votes)
        await context.emit(verdict_of("confidence", found, len(votes)))
        return elected(self.name, found, votes)

    def _opening(self, problem: Problem) -> str:
        match self._options.skip:
            case "ask":
                return ""
            case "begin":
                return render("short_opening", form=problem.form)
            case "prefill":
                return _THOUGHT

    async def _verified(
        self, problem: Problem, context: SolveContext, found: Sequence[Party]
    ) -> Sequence[Party] | None:
        """The answers with the one that the verifier scores highest in front; None where it tells nothing."""
        if self._verifier is None or len(found) < 2:
            return None
        scores: list[float] = []
        for party in found:
            try:
                score = await self._verifier.score(problem, party.samples[0].answer, context)
            except BudgetSpent:
                return None
            scores.append(-1.0 if score is None else score)
        best = max(range(len(scores)), key=scores.__getitem__)
        if scores[best] < 0:
            return None
        reason = f"scores {found[best].value[:40]} highest: {scores[best]:.2f}"
        await context.emit(Verdict(verifier=self._verifier.name, accepted=None, reason=reason))
        return [found[best], *found[:best], *found[best + 1 :]]


class _ShortAnswer:
    """One attempt that goes straight to its solution."""

    name = "parallel"

    def __init__(self, tokens: int, prefill: str) -> None:
        self._tokens = tokens
        self._prefill = prefill

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        messages = with_question(problem.messages, render("short_answer", question=problem.question))
        sampling = replace(problem.sampling, max_tokens=min(self._tokens, context.step_tokens), stop=())
        completion = await write(
            context, context.writer(), messages, sampling, purpose="answer in short", prefill=self._prefill
        )
        # The opening belongs to the answer, a thought that was skipped does not.
        text = completion.text if self._prefill == _THOUGHT else self._prefill + completion.text
        return Answer(
            text=text.strip(),
            value=final_answer(text, problem.form, problem.choices),
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(mean_logprob=completion.mean_logprob()),
            finish_reason=completion.reason,
        )
