"""A route that worked on problems like this one comes first; everything after is another policy's."""

from collections.abc import Sequence

from agents.problem import Answer
from routers.assessment import Assessment
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Estimate, Route


class Recommended:
    """Wraps the policy that serves without a recommendation. A ``proven`` route's answer is taken as it is, save at
    high effort, where the wrapped policy looks at it as at its own first attempt."""

    def __init__(self, policy: Policy, route: Route, reason: str, proven: bool) -> None:
        self._policy = policy
        self._route = route
        self._reason = reason
        self._proven = proven

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        considered = self._policy.first(assessment, effort).considered
        unique = {estimate.route.name: estimate for estimate in (Estimate(route=self._route), *considered)}
        return Decision(route=self._route, reason=self._reason, considered=tuple(unique.values()))

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        verdict = self._policy.after(assessment, effort, attempts)
        recommended = attempts[0]
        if len(attempts) == 1 and isinstance(verdict, Abstain):
            return self._usual(assessment, effort, verdict)
        if len(attempts) > 1 or recommended.value is None or not self._proven or effort == "high":
            return verdict
        if isinstance(verdict, Accept):
            return verdict
        # Its outcomes speak for it, but nothing was checked about this very answer.
        return Accept(attempt=0, reason=self._reason, supported=False)

    def _usual(self, assessment: Assessment, effort: Effort, verdict: Abstain) -> Abstain | Decision:
        """The wrapped policy's own first route, in whose place the recommended one was tried."""
        usual = self._policy.first(assessment, effort)
        if usual.route == self._route:
            return verdict
        return usual.model_copy(update={"reason": f"{self._route.name} gave no answer"})
