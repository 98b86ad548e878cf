"""``self-consistency``: sample the same reasoning several times and let the answers vote.

After Self-Consistency (Wang et al. 2022), section 2, with the stopping rule of Adaptive-Consistency (Aggarwal et al.
2023), section 3: sampling ends as soon as the leading answer is the majority's with a wanted certainty.
"""

from contextlib import aclosing

from pydantic import BaseModel, ConfigDict, Field

from agents.direct import Direct
from agents.problem import Answer, Problem
from agents.sampling import Draw, Format, Sample, attempt_of, samples
from agents.strategy import SolveContext
from agents.voting import Party, elected, leads_for_good, parties, verdict_of


class SelfConsistencyOptions(BaseModel):
    """At most ``n`` samples, ``at_once`` of them side by side: more at once is sooner done and stops later.
    ``certainty`` is the posterior at which sampling stops; above 1 all ``n`` are drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: int = Field(default=8, ge=1, le=64)
    temperature: float = Field(default=0.7, ge=0)
    certainty: float = Field(default=0.95, gt=0)
    at_once: int = Field(default=1, ge=1, le=64)
    format: Format = "cot"


class SelfConsistency:
    name = "self-consistency"

    def __init__(self, options: SelfConsistencyOptions = SelfConsistencyOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await Direct().solve(problem, context)
        options = self._options
        draw = Draw(n=options.n, temperature=options.temperature, at_once=options.at_once)
        votes: list[Sample] = []
        found: list[Party] = []
        async with aclosing(samples(attempt_of(options.format), problem, context, draw)) as stream:
            async for sample in stream:
                votes.append(sample)
                found = await parties(votes, problem.form)
                if found and leads_for_good([party.votes for party in found]) >= options.certainty:
                    break
        await context.emit(verdict_of("agreement", found, len(votes)))
        return elected(self.name, found, votes)
