"""Stickiness within a thread: a question like the one before it does not start below the model that one needed.

Going up stays possible at every turn and going down does not, as a ratchet: the model that the thread is on has the
thread in its prefix cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from agents.problem import Answer
from routers.assessment import Assessment
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort


class Turn(BaseModel):
    """The question before this one in the thread: the form of its answer, and the models of the route it took."""

    model_config = ConfigDict(frozen=True)

    form: str
    models: tuple[str, ...]

    @staticmethod
    def of(form: str | None, route: str | None) -> "Turn | None":
        """From what is stored of a thread; ``route`` as a route is named. None where one of the two is not known."""
        if form is None or route is None or "(" not in route:
            return None
        return Turn(form=form, models=tuple(route.rstrip(")").split("(", 1)[1].split("+")))


@dataclass(frozen=True, slots=True)
class Sticky:
    """``raised`` knows only routes of the capable model; it serves where the question has the ``form`` of the one
    before it, ``free`` elsewhere. The hidden requests of chat interfaces belong to no thread."""

    free: Policy
    raised: Policy
    form: str

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
