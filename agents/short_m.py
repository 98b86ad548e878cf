"""``short-m``: start several samples, stop at the first few that finish, and let those vote.

After "Don't Overthink it" (Hassid et al. 2025), short-m@k, section 4: of k samples side by side the m that finish
first vote and the others are aborted; a tie goes to the shortest.
"""

from contextlib import aclosing

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agents.direct import Direct
from agents.problem import Answer, Problem
from agents.sampling import Draw, Format, Sample, attempt_of, samples
from agents.strategy import SolveContext
from agents.voting import elected, parties, shortest, verdict_of


class ShortOptions(BaseModel):
    """``m`` of ``k`` samples vote; the paper's settings are k = 5 with m = 1 or 3."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k: int = Field(default=5, ge=1, le=64)
    m: int = Field(default=3, ge=1)
    temperature: float = Field(default=0.7, ge=0)
    format: Format = "cot"

    @model_validator(mode="after")
    def _not_more_than_all(self) -> "ShortOptions":
        if self.m > self.k:
            raise ValueError(f"m = {self.m} samples cannot vote when only k = {self.k} are started")
        return self


class ShortM:
    name = "short-m"

    def __init__(self, options: ShortOptions = ShortOptions()) -> None:
        self._options = options

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await Direct().solve(problem, context)
        options = self._options
        draw = Draw(n=options.k, temperature=options.temperature)
        ended: list[Sample] = []
        async with aclosing(samples(attempt_of(options.format), problem, context, draw)) as stream:
            async for sample in stream:
                ended.append(sample)
                if sum(each.whole for each in ended) == options.m:
                    break
        # What was cut off or gave no answer is no short answer; it counts only where there is nothing else.
        votes = [sample for sample in ended if sample.whole] or ended
        found = await parties(votes, problem.form, preference=shortest)
        await context.emit(verdict_of("agreement", found, len(votes)))
        return elected(self.name, found, votes)
