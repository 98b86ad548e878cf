"""``logic``: premises and statement become first-order logic, and a solver decides.

Plain sentences are read without a model (``tools.verifiers.logic.controlled_english``). The others are translated after
LINC (Olausson et al. 2023), section 3: several translations are sampled, the solver decides each, the majority wins,
and a translation that cannot be used is an error and no vote. Where none can be used the model reasons in words.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, Field

from agents.cot import ChainOfThought
from agents.events import ToolFinished, ToolStarted, Verdict
from agents.formalise import formalised
from agents.problem import Answer, Evidence, Problem
from agents.strategy import SolveContext
from tools.verifiers.logic.controlled_english import read_all
from tools.verifiers.logic.formula import Formula, shown
from tools.verifiers.logic.prover import Decision, decide
from tools.verifiers.logic.question import LogicQuestion, Truth, find_logic
from tools.verifiers.logic.theory import Theory, script_of, without_misfits
from workers.engines.protocol import Sampling
from workers.ledger import BudgetSpent

_WORDS: dict[Truth, str] = {"true": "True", "false": "False", "uncertain": "Uncertain"}


class LogicOptions(BaseModel):
    """``plain``: sentences that are plain enough are read without a model. At most ``n`` translations of the others,
    those after the first at ``temperature``; sampling ends when no other verdict can overtake the leading one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plain: bool = True
    n: int = Field(default=3, ge=1, le=32)
    temperature: float = Field(default=0.7, ge=0)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A question, and the formulas of those of its sentences that were read: the statement first, so that a translation
    that is cut short has it."""

    question: LogicQuestion
    known: tuple[Formula | None, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        return (self.question.statement, *self.question.premises)


class Logic:
    name = "logic"

    def __init__(self, options: LogicOptions = LogicOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        reading = await asyncio.to_thread(self._read, problem.question)
        if reading is None:
            return await self._in_words(problem, context)
        votes: Counter[Truth] = Counter()
        drawn, logprob = 0, None
        # What is read whole is read the same every time.
        wanted = 1 if None not in reading.known else self._options.n
        for sample in range(wanted):
            try:
                truth, mean = await self._vote(reading, problem, context, sample)
            except BudgetSpent:
                if not votes:
                    raise
                break
            drawn += 1
            if truth is not None:
                votes[truth] += 1
                logprob = logprob if logprob is not None else mean
            if _decided(votes, wanted - drawn):
                break
        if not votes:
            await context.emit(Verdict(verifier="logic", accepted=None, reason="no translation could be decided"))
            return await self._in_words(problem, context)
        return await self._answer(reading, problem, context, votes, drawn, logprob)

    def _read(self, text: str) -> _Reading | None:
        question = find_logic(text)
        if question is None:
            return None
        sentences = (question.statement, *question.premises)
        return _Reading(question, read_all(sentences) if self._options.plain else (None,) * len(sentences))

    async def _in_words(self, problem: Problem, context: SolveContext) -> Answer:
        return await ChainOfThought().solve(problem, context)

    async def _vote(
        self, reading: _Reading, problem: Problem, context: SolveContext, sample: int
    ) -> tuple[Truth | None, float | None]:
        sampling = self._sampling(problem.sampling, context, sample)
        formulas, logprob = await formalised(reading.sentences, reading.known, context, sampling)
        conclusion, premises = formulas[0], tuple(f for f in formulas[1:] if f is not None)
        theory = None if conclusion is None else without_misfits(Theory(premises, conclusion))
        if theory is None:
            return None, logprob
        decision = await self._decide(theory, list(zip(reading.sentences, formulas, strict=True)), context)
        complete = len(theory.premises) == len(reading.question.premises)
        return usable(decision, reading.question, complete=complete), logprob

    async def _decide(
        self, theory: Theory, said: Sequence[tuple[str, Formula | None]], context: SolveContext
    ) -> Decision:
        script = script_of(theory)
        lines = [f"; {sentence} := {'?' if formula is None else shown(formula)}" for sentence, formula in said]
        call, began = uuid.uuid4().hex, time.monotonic()
        read = "\n".join(lines)
        text = f"{read}\n{script.given}\n; to decide:\n{script.conclusion}"
        await context.emit(ToolStarted(call=call, tool="z3", input=text))
        [decision] = await decide(context.sandbox, context.limits, (theory,))
        seconds = time.monotonic() - began
        await context.emit(
            ToolFinished(call=call, tool="z3", output=decision, ok=decision != "unknown", seconds=seconds)
        )
        return decision

    def _sampling(self, sampling: Sampling, context: SolveContext, sample: int) -> Sampling:
        bounded = replace(sampling, max_tokens=context.step_tokens, stop=())
        if sample == 0:
            return bounded
        seed = None if sampling.seed is None else sampling.seed + sample
        return replace(bounded, temperature=self._options.temperature, seed=seed)

    async def _answer(
        self,
        reading: _Reading,
        problem: Problem,
        context: SolveContext,
        votes: Counter[Truth],
        drawn: int,
        logprob: float | None,
    ) -> Answer:
        truth, leading = votes.most_common(1)[0]
        whole = None not in reading.known
        how = "the sentences were read without a model" if whole else f"{leading} of {drawn} translations"
        # One usable translation of three is no evidence.
        accepted = 2 * leading > drawn
        reason = f"{how}: the statement is {truth}" if whole else f"{how} make the statement {truth}"
        await context.emit(Verdict(verifier="logic", accepted=accepted, reason=reason))
        return Answer(
            text=_WORDS[truth],
            value=value_of(truth, reading.question, problem),
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(program_ran=accepted, agreement=leading / drawn, votes=drawn, mean_logprob=logprob),
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
