"""The policy for questions of deduction in plain sentences: a solver decides them, and no model is asked."""

from collections.abc import Sequence

from agents.problem import Answer
from routers.assessment import Assessment
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Estimate, Route


class Deducing:
    """Wraps the policy for everything else, which serves too where ``route`` decides nothing."""

    def __init__(self, others: Policy, route: Route) -> None:
        self._others = others
        self._route = route

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        otherwise = self._others.first(assessment, effort)
        if not assessment.decidable:
            return otherwise
        return Decision(
            route=self._route,
            reason="every sentence can be read without a model, so a solver decides",
            considered=(Estimate(route=self._route), *otherwise.considered),
        )

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        first = attempts[0]
        if assessment.decidable and len(attempts) == 1:
            if first.value is None:
                reason = "the solver did not decide"
                return self._others.first(assessment, effort).model_copy(update={"reason": reason})
            if first.strategy == self._route.strategy and first.evidence.program_ran:
                return Accept(attempt=0, reason="a solver decided what the sentences say")
        return self._others.after(assessment, effort, attempts)
