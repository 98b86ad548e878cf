"""``confidence``: samples vote with the confidence they were written with, and doubtful ones are stopped early.

After DeepConf (Fu et al. 2025), sections 3.2 and 3.3: a few warm-up samples set the threshold that the wanted share of
them stays above; a later sample is aborted as soon as a window of it falls below; the rest vote, weighted.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress

from pydantic import BaseModel, ConfigDict, Field

from agents.certainty import Measure, SlidingConfidence, confidence
from agents.direct import Direct
from agents.problem import Answer, Problem
from agents.sampling import Draw, Format, Sample, Stopped, Watch, attempt_of, samples
from agents.strategy import SolveContext
from agents.voting import elected, parties, verdict_of
from workers.engines.protocol import Token
from workers.ledger import BudgetSpent


class ConfidenceOptions(BaseModel):
    """``n`` samples, the first ``warmup`` of which are never stopped. ``keep`` is the share of warm-up samples above
    the threshold: 0.9 stops few, 0.1 stops most. ``top`` alternatives of a token and ``window`` tokens make its
    confidence, ``measure`` the weight of a vote. The paper samples hundreds, with 16 to warm up and windows of 2,048;
    answers of a few hundred tokens need shorter ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int = Field(default=8, ge=1, le=64)
    warmup: int = Field(default=4, ge=1)
    keep: float = Field(default=0.9, gt=0, le=1)
    measure: Measure = "lowest"
    window: int = Field(default=64, ge=1)
    top: int = Field(default=20, ge=2, le=100)
    temperature: float = Field(default=0.6, ge=0)
    top_p: float = Field(default=0.95, gt=0, le=1)
    format: Format = "cot"


class Confidence:
    name = "confidence"

    def __init__(self, options: ConfidenceOptions = ConfidenceOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await Direct().solve(problem, context)
        options = self._options
        first = min(options.warmup, options.n)
        votes = await self._drawn(problem, context, 0, first, None)
        threshold = threshold_of(votes, options)
        if options.n > first:
            # Without budget for more the warm-up samples decide.
            with suppress(BudgetSpent):
                votes += await self._drawn(problem, context, first, options.n - first, threshold)
        found = await parties(votes, problem.form, weights_of(votes, options.measure, options.window))
        await context.emit(verdict_of("confidence", found, len(votes)))
        return elected(self.name, found, votes)

    async def _drawn(
        self, problem: Problem, context: SolveContext, first: int, n: int, threshold: float | None
    ) -> list[Sample]:
        options = self._options
        draw = Draw(n, options.temperature, options.top_p, first=first, top_logprobs=options.top)
        watch = None if threshold is None else _stop_below(threshold, options.window)
        stream = samples(attempt_of(options.format), problem, context, draw, watch)
        async with aclosing(stream):
            return [sample async for sample in stream]


def threshold_of(warmup: Sequence[Sample], options: ConfidenceOptions) -> float | None:
    """The lowest-window confidence that the share ``keep`` of the warm-up samples reaches; None without any."""
    lowest = [confidence(sample.tokens, "lowest", options.window) for sample in warmup]
    known = sorted((value for value in lowest if value is not None), reverse=True)
    return known[math.ceil(options.keep * len(known)) - 1] if known else None


def weights_of(votes: Sequence[Sample], measure: Measure, window: int) -> list[float]:
    """A weight for each vote; all alike where the engine gives no alternatives."""
    weights = [confidence(vote.tokens, measure, window) for vote in votes]
    return [weight if weight is not None else 1.0 for weight in weights]


def _stop_below(threshold: float, window: int) -> Callable[[], Watch]:
    def watch() -> Watch:
        sliding = SlidingConfidence(window)

        def see(token: Token) -> None:
            value = sliding.add(token)
            if value is not None and value < threshold:
                raise Stopped

        return see

    return watch
