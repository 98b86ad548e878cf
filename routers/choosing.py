"""The policy for questions that name their answers and give nothing to derive one from: letters, yes or no."""

from collections.abc import Sequence

from agents.problem import Answer
from routers.assessment import Assessment
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort

_REASON = "the question names its answers and gives nothing to derive one from, so the model says which"


class Choosing:
    """Wraps the policy for everything else. What a model knows it says in one word: a program or a chain of thought
    cost ten times as much there and are right no more often."""

    def __init__(self, others: Policy, choosers: Policy) -> None:
        self._others = others
        self._choosers = choosers

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        if not _chosen(assessment):
            return self._others.first(assessment, effort)
        return self._choosers.first(assessment, effort).model_copy(update={"reason": _REASON})

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        serving = self._choosers if _chosen(assessment) else self._others
        return serving.after(assessment, effort, attempts)


def _chosen(assessment: Assessment) -> bool:
    return assessment.form in ("choice", "yes-no") and not assessment.derived
