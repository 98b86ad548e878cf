"""``logic``: premises and statement are translated into first-order logic, and a solver decides.

After LINC (Olausson et al. 2023), section 3: several translations are sampled, the solver decides each, the majority
wins, and a translation that cannot be used is an error and no vote. Without any usable one the model reasons in words.
"""

import asyncio
import uuid
from collections import Counter
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from agents.cot import ChainOfThought
from agents.events import ToolFinished, ToolStarted, Verdict
from agents.formalise import formalised
from agents.problem import Answer, Evidence, Problem
from agents.strategy import SolveContext
from tools.verifiers.logic.prover import Decision, decide
from tools.verifiers.logic.question import LogicQuestion, Truth, find_logic
from tools.verifiers.logic.theory import Theory, script_of, well_typed
from workers.engines.protocol import Sampling
from workers.ledger import BudgetSpent

_WORDS: dict[Truth, str] = {"true": "True", "false": "False", "uncertain": "Uncertain"}


class LogicOptions(BaseModel):
    """At most ``n`` translations, those after the first at ``temperature``; sampling ends when no other verdict can
    overtake the leading one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int = Field(default=3, ge=1, le=32)
    temperature: float = Field(default=0.7, ge=0)


class Logic:
    name = "logic"

    def __init__(self, options: LogicOptions = LogicOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        question = await asyncio.to_thread(find_logic, problem.question)
        if question is None:
            return await self._in_words(problem, context)
        votes: Counter[Truth] = Counter()
        drawn, logprob = 0, None
        for sample in range(self._options.n):
            try:
                truth, mean = await self._vote(question, problem, context, sample)
            except BudgetSpent:
                if not votes:
                    raise
                break
            drawn += 1
            if truth is not None:
                votes[truth] += 1
                logprob = logprob if logprob is not None else mean
            if _decided(votes, self._options.n - drawn):
                break
        if not votes:
            await context.emit(Verdict(verifier="logic", accepted=None, reason="no translation could be decided"))
            return await self._in_words(problem, context)
        return await self._answer(question, problem, context, votes, drawn, logprob)

    async def _in_words(self, problem: Problem, context: SolveContext) -> Answer:
        return await ChainOfThought().solve(problem, context)

    async def _vote(
        self, question: LogicQuestion, problem: Problem, context: SolveContext, sample: int
    ) -> tuple[Truth | None, float | None]:
        sentences = (*question.premises, question.statement)
        formulas, logprob = await formalised(sentences, context, self._sampling(problem.sampling, context, sample))
        premises, conclusion = tuple(f for f in formulas[:-1] if f is not None), formulas[-1]
        if conclusion is None or not premises:
            return None, logprob
        theory = Theory(premises, conclusion)
        if not well_typed(theory):
            return None, logprob
        script = script_of(theory)
        call, shown = uuid.uuid4().hex, f"{script.given}\n; to decide:\n{script.conclusion}"
        await context.emit(ToolStarted(call=call, tool="z3", input=shown))
        [decision] = await decide(context.sandbox, context.limits, (theory,))
        await context.emit(ToolFinished(call=call, tool="z3", output=decision, ok=decision != "unknown", seconds=0.0))
        return usable(decision, question, complete=len(premises) == len(question.premises)), logprob

    def _sampling(self, sampling: Sampling, context: SolveContext, sample: int) -> Sampling:
        bounded = replace(sampling, max_tokens=context.step_tokens, stop=())
        if sample == 0:
            return bounded
        seed = None if sampling.seed is None else sampling.seed + sample
        return replace(bounded, temperature=self._options.temperature, seed=seed)

    async def _answer(
        self,
        question: LogicQuestion,
        problem: Problem,
        context: SolveContext,
        votes: Counter[Truth],
        drawn: int,
        logprob: float | None,
    ) -> Answer:
        truth, leading = votes.most_common(1)[0]
        reason = f"{leading} of {drawn} translations make the statement {truth}"
        await context.emit(Verdict(verifier="logic", accepted=True, reason=reason))
        return Answer(
            text=_WORDS[truth],
            value=value_of(truth, question, problem),
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(program_ran=True, agreement=leading / drawn, votes=drawn, mean_logprob=logprob),
        )


def usable(decision: Decision, question: LogicQuestion, *, complete: bool) -> Truth | None:
    """What a decision says of the statement. Nothing follows from premises that contradict each other, and only with
    every premise does it mean anything that none of them decides."""
    if decision in ("true", "false"):
        return decision
    if decision != "uncertain" or not complete:
        return None
    return "uncertain" if question.offers_uncertain or not question.letters else None


def value_of(truth: Truth, question: LogicQuestion, problem: Problem) -> str | None:
    """The truth in the form of the problem: a choice's letter, yes or no, or the word itself."""
    if question.letters:
        return question.letters.get(truth)
    if problem.form == "yes-no":
        return {"true": "yes", "false": "no"}.get(truth)
    return _WORDS[truth]


def _decided(votes: Counter[Truth], left: int) -> bool:
    ranked = [count for _, count in votes.most_common(2)]
    return bool(ranked) and ranked[0] - (ranked[1] if len(ranked) > 1 else 0) > left
