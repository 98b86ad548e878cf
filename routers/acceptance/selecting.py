"""Selective answering: an answer is given only where so few such answers are wrong that the caller's risk is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.problem import Answer, AnswerForm
from routers.acceptance.answering import further
from routers.acceptance.attempt import Roles, attempt_of, camps
from routers.acceptance.card import AcceptanceCard, RiskPoint
from routers.acceptance.judgement import unknown
from routers.assessment import Assessment
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Route


@dataclass(frozen=True, slots=True)
class Selecting:
    """Wraps any policy. An answer that it accepts below the threshold of its form's point is followed by the rest of
    ``options``, and withheld when these are used up. What cannot be compared is written straight to the reader and has
    no probability, so there the risk does not apply."""

    others: Policy
    card: AcceptanceCard
    roles: Roles
    points: Mapping[AnswerForm, RiskPoint]
    options: Mapping[Effort, Sequence[Route]]

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        return self.others.first(assessment, effort)

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        verdict = self.others.after(assessment, effort, attempts)
        if not isinstance(verdict, Accept) or assessment.form == "text":
            return verdict
        tried = [attempt_of(answer, assessment, self.roles) for answer in attempts]
        why = unknown(self.card, tried, assessment.form)
        point = self.points.get(assessment.form)
        if why is None and point is None:
            why = f"the known outcomes of answers that are a {assessment.form} vouch for none so low"
        if why is not None or point is None:
            return Abstain(reason=f"no risk can be vouched for, since {why}")
        groups = camps([attempt.value for attempt in tried], assessment.form)
        own = next((camp for camp in groups if verdict.attempt in camp.members), None)
        probability = 0.0 if own is None else self.card.probability(tried, own, assessment.form)
        if probability >= point.threshold:
            reason = f"{verdict.reason}; {probability:.0%} likely to be right, enough for a risk of {point.risk:g}"
            return verdict.model_copy(update={"reason": reason, "supported": True})
        return self._further([attempt.route for attempt in tried], effort, _doubt(point, probability))

    def _further(self, done: Sequence[str], effort: Effort, doubt: str) -> Abstain | Decision:
        route = further(self.options[effort], done, self.roles)
        return Abstain(reason=doubt) if route is None else Decision(route=route, reason=doubt)


def _doubt(point: RiskPoint, probability: float) -> str:
    return (
        f"the answer is {probability:.0%} likely to be right, below the {point.threshold:.0%} that a risk of "
        f"{point.risk:g} takes ({point.wrong} of {point.answered} such answers to known questions were wrong)"
    )
