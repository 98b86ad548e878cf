"""The policy for functions to be written: take the first that passes its examples, going up from model to model."""

from collections.abc import Sequence

from agents.problem import Answer
from routers.assessment import Assessment
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Estimate, Route


class Coding:
    """Wraps the policy for everything else. ``rungs`` are tried in turn until a function passes its examples."""

    def __init__(self, others: Policy, rungs: Sequence[Route]) -> None:
        self._others = others
        self._rungs = tuple(rungs)

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        if assessment.form != "code":
            return self._others.first(assessment, effort)
        return self._decision(0, "a function can be checked, so the cheapest model that passes its examples writes it")

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        if assessment.form != "code":
            return self._others.after(assessment, effort, attempts)
        last = attempts[-1]
        if last.evidence.program_ran:
            return Accept(attempt=len(attempts) - 1, reason="the function passes the examples of its docstring")
        if len(attempts) < len(self._rungs):
            return self._decision(len(attempts), f"the function of {last.model} passes no full set of examples")
        written = [index for index, attempt in enumerate(attempts) if attempt.text]
        if not written:
            return Abstain(reason=f"none of {len(attempts)} attempts wrote a function")
        # The later rung is the more capable one, so it wins where the checks do not tell the two apart.
        best = max(written, key=lambda index: (attempts[index].evidence.agreement or 0.0, index))
        return Accept(attempt=best, reason="it passes the most checks of all attempts", supported=False)

    def _decision(self, rung: int, reason: str) -> Decision:
        considered = tuple(Estimate(route=route) for route in self._rungs[rung:])
        return Decision(route=self._rungs[rung], reason=reason, considered=considered)
