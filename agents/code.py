"""``code``: a function is sampled until it passes the examples in its docstring, or else the model's own tests.

Verified resampling: the first sample is the model's most probable one, later ones are drawn. Where the docstring has
no examples the model writes tests first; they may be wrong, so they rank candidates (after CodeT, Chen et al. 2022,
section 2) and prove nothing.
"""

import uuid
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, Field

from agents.direct import Direct
from agents.events import ToolFinished, ToolStarted, Verdict
from agents.execution import printed
from agents.problem import Answer, Evidence, Problem
from agents.prompts import render
from agents.strategy import SolveContext, with_question, write
from tools.verifiers.code.checks import asserts_in, check_of, passed
from tools.verifiers.code.stub import Stub, examples, find_stub
from tools.verifiers.programs import code_block
from workers.engines.protocol import FinishReason, Sampling
from workers.ledger import BudgetSpent
from workers.messages import Message


class CodeOptions(BaseModel):
    """At most ``n`` samples, those after the first at ``temperature``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int = Field(default=4, ge=1, le=64)
    temperature: float = Field(default=0.8, ge=0)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """``source`` is the function with what it needs; ``share`` of the checks that it passes, None without checks."""

    source: str
    share: float | None
    logprob: float | None
    finish_reason: FinishReason


class Code:
    name = "code"

    def __init__(self, options: CodeOptions = CodeOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        stub = find_stub(problem.question)
        if stub is None:
            return await Direct().solve(problem, context)
        given = tuple(check_of(example) for example in examples(stub))
        checks = given or await self._own_tests(stub, problem, context)
        best: _Candidate | None = None
        for sample in range(self._options.n if checks else 1):
            try:
                candidate = await self._candidate(stub, checks, problem, context, sample)
            except BudgetSpent:
                if best is None:
                    raise
                break
            if best is None or (candidate.share or 0.0) > (best.share or 0.0):
                best = candidate
            if candidate.share == 1.0:
                break
        assert best is not None  # the first sample has raised or is one
        await self._judge(context, best, bool(given), len(checks))
        return self._answer(context, best, bool(given), len(checks))

    async def _candidate(
        self, stub: Stub, checks: tuple[str, ...], problem: Problem, context: SolveContext, sample: int
    ) -> _Candidate:
        messages = with_question(problem.messages, render("code", question=problem.question))
        purpose = "write the function" if sample == 0 else "write the function once more"
        sampling = self._sampling(problem.sampling, context, sample)
        completion = await write(context, context.writer(), messages, sampling, purpose=purpose)
        source = whole(stub, code_block(completion.text) or completion.text)
        share = await self._passed(source, checks, context) if checks else None
        return _Candidate(source, share, completion.mean_logprob(), completion.reason)

    async def _passed(self, source: str, checks: tuple[str, ...], context: SolveContext) -> float:
        call = uuid.uuid4().hex
        await context.emit(ToolStarted(call=call, tool="python", input="\n".join((source, *checks))))
        execution, results = await passed(context.sandbox, context.limits, source, checks)
        output = f"{sum(results)} of {len(results)} checks pass\n{printed(execution)}"
        await context.emit(
            ToolFinished(call=call, tool="python", output=output, ok=all(results), seconds=execution.seconds)
        )
        return sum(results) / len(results)

    async def _own_tests(self, stub: Stub, problem: Problem, context: SolveContext) -> tuple[str, ...]:
        prompt = Message(role="user", content=render("code_tests", question=problem.question, function=stub.name))
        sampling = Sampling(max_tokens=min(400, context.step_tokens))
        completion = await write(context, context.writer(), (prompt,), sampling, purpose="write tests")
        return asserts_in(completion.text, stub.name)

    def _sampling(self, sampling: Sampling, context: SolveContext, sample: int) -> Sampling:
        bounded = replace(sampling, max_tokens=context.step_tokens, stop=())
        if sample == 0:
            return bounded
        seed = None if sampling.seed is None else sampling.seed + sample
        return replace(bounded, temperature=self._options.temperature, seed=seed)

    async def _judge(self, context: SolveContext, best: _Candidate, given: bool, checks: int) -> None:
        if best.share is None:
            await context.emit(Verdict(verifier="code", accepted=None, reason="there is nothing to check it with"))
            return
        kind = "examples of the docstring" if given else "tests that the model wrote"
        accepted = best.share == 1.0 if given else None
        reason = f"it passes {round(best.share * checks)} of {checks} {kind}"
        await context.emit(Verdict(verifier="code", accepted=accepted, reason=reason))

    def _answer(self, context: SolveContext, best: _Candidate, given: bool, checks: int) -> Answer:
        return Answer(
            text=f"```python\n{best.source.strip()}\n```",
            value=best.source,
            strategy=self.name,
            model=context.writers[0],
            evidence=Evidence(
                program_ran=best.share == 1.0 if given else None,
                agreement=best.share,
                votes=checks,
                mean_logprob=best.logprob,
            ),
            finish_reason=best.finish_reason,
        )


def whole(stub: Stub, written: str) -> str:
    """What was written, below the stub's own imports and helpers where it leaves them out."""
    above, _, _ = stub.source.rpartition(f"def {stub.name}(")
    above = above.removesuffix("async ").rstrip()
    missing = above and not all(line in written for line in above.splitlines() if line.strip())
    return f"{above}\n\n\n{written}" if missing else written
