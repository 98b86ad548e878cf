"""Estimates for the reader of a trace, where the policy itself has none: what was measured of each route."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.problem import Answer, AnswerForm
from routers.acceptance.attempt import Roles, by_role
from routers.acceptance.card import AcceptanceCard
from routers.acceptance.judgement import ENOUGH_QUESTIONS
from routers.assessment import Assessment
from routers.intervals import wilson
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Estimate


@dataclass(frozen=True, slots=True)
class Explained:
    """Wraps any policy and changes nothing that it decides."""

    others: Policy
    card: AcceptanceCard
    roles: Roles

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        return self._explained(self.others.first(assessment, effort), assessment)

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        verdict = self.others.after(assessment, effort, attempts)
        return self._explained(verdict, assessment) if isinstance(verdict, Decision) else verdict

    def _explained(self, decision: Decision, assessment: Assessment) -> Decision:
        if self.card.questions.get(assessment.form, 0) < ENOUGH_QUESTIONS:
            return decision
        considered = tuple(self._filled(estimate, assessment.form) for estimate in decision.considered)
        return decision.model_copy(update={"considered": considered})

    def _filled(self, estimate: Estimate, form: AnswerForm) -> Estimate:
        measured = self.card.of(by_role(estimate.route.name, self.roles), form)
        if measured is None or estimate.success is not None:
            return estimate
        return estimate.model_copy(
            update={
                "success": measured.success,
                "tokens": measured.tokens,
                "cost": measured.cost,
                "n": measured.n,
                "interval": wilson(measured.right, measured.n),
            }
        )
