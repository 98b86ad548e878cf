"""The constant policy: always the same route. Explicit strategies and models are served by it, and it is every
router's baseline."""

from collections.abc import Sequence

from agents.problem import Answer
from routers.assessment import Assessment
from routers.policy import Abstain, Accept
from routers.route import Decision, Effort, Estimate, Route


class Constant:
    def __init__(self, route: Route, reason: str) -> None:
        self._route = route
        self._reason = reason

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        return Decision(route=self._route, reason=self._reason, considered=(Estimate(route=self._route),))

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        answer = attempts[-1]
        if answer.text or answer.value is not None or answer.tool_calls or answer.streamed:
            return Accept(
                attempt=len(attempts) - 1, reason="the route's own answer", supported=answer.value is not None
            )
        return Abstain(reason=f"{self._route.name} gave no answer")
