"""Stickiness within a thread: a question like the one before it does not start below the model that one needed.

Going up stays possible at every turn and going down does not, as a ratchet: the model that the thread is on has the
thread in its prefix cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.problem import Answer, AnswerForm
from routers.assessment import Assessment
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort


@dataclass(frozen=True, slots=True)
class Sticky:
    """``raised`` knows only routes of the capable model; it serves where the question has the ``form`` of the one
    before it, ``free`` elsewhere. The hidden requests of chat interfaces belong to no thread."""

    free: Policy
    raised: Policy
    form: AnswerForm

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        decision = self._serving(assessment).first(assessment, effort)
        freely = self.free.first(assessment, effort).route
        if decision.route == freely:
            return decision
        reason = f"the thread is on {decision.route.models[-1]} since a question of this kind needed it"
        return decision.model_copy(update={"reason": reason})

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        return self._serving(assessment).after(assessment, effort, attempts)

    def _serving(self, assessment: Assessment) -> Policy:
        return self.raised if assessment.form == self.form and not assessment.interface_task else self.free
