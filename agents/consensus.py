"""``consensus``: cheap formats vote, and only their disagreement calls for a long chain of thought.

After ARM (Adaptive Reasoning Model), consensus-guided mode: direct answer, short chain of thought and code; if all
three agree that is the answer, else the judge reasons at length.
"""

import asyncio
from dataclasses import replace

from agents.cot import ChainOfThought
from agents.direct import Direct
from agents.events import Verdict
from agents.problem import Answer, Evidence, Problem
from agents.program import Program
from agents.strategy import SolveContext, Strategy
from tools.verifiers.equality import cluster
from workers.ledger import BudgetSpent


class Consensus:
    """The first of the route's models votes, the last one decides when the votes differ."""

    name = "consensus"

    def __init__(self) -> None:
        self._voters: tuple[Strategy, ...] = (Direct(), ChainOfThought(), Program())
        self._judge: Strategy = ChainOfThought()

    async def solve(self, problem: Problem, context: SolveContext) -> Answer:
        if not problem.checkable:
            return await Direct().solve(problem, context)
        votes = await self._vote(problem, context)
        groups = await asyncio.to_thread(cluster, [vote.value for vote in votes], problem.form)
        leaders = groups[0] if groups else []
        agreed = len(leaders) == len(self._voters)
        agreement = len(leaders) / len(self._voters)
        await context.emit(
            Verdict(
                verifier="agreement",
                accepted=agreed,
                reason=f"{len(leaders)} of {len(self._voters)} formats give the same answer",
            )
        )
        if agreed:
            return self._settled(votes[leaders[0]], agreement)
        try:
            judged = await self._judge.solve(problem, replace(context, writers=context.writers[-1:]))
        except BudgetSpent:
            if not votes:
                raise
            return self._settled(votes[leaders[0]] if leaders else votes[-1], agreement)
        return self._settled(judged, agreement)

    async def _vote(self, problem: Problem, context: SolveContext) -> list[Answer]:
        """Votes of the formats that the budget allowed; the first fault of another kind is raised."""
        results = await asyncio.gather(
            *(voter.solve(problem, context) for voter in self._voters), return_exceptions=True
        )
        votes: list[Answer] = []
        for result in results:
            if isinstance(result, Answer):
                votes.append(result)
            elif not isinstance(result, BudgetSpent):
                raise result
        if not votes:
            raise next(result for result in results if isinstance(result, BudgetSpent))
        return votes

    def _settled(self, answer: Answer, agreement: float) -> Answer:
        evidence = answer.evidence.model_copy(update={"agreement": agreement, "votes": len(self._voters)})
        return answer.model_copy(update={"strategy": self.name, "evidence": Evidence.model_validate(evidence)})
