"""Policies over stored outcomes: what they would have decided, and what came of it, without generating anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.problem import Answer
from routers.acceptance.answering import answer_of
from routers.acceptance.asked import Asked
from routers.assessment import Assessment, assess
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Estimate, Route
from workers.messages import Message
from workers.usage import Usage


class OutcomeMissing(Exception):
    """A policy wanted an attempt that was never made; the message names it."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a reader would have got: ``right`` None where the policy abstained. ``tokens`` by model and ``seconds`` of
    all attempts."""

    right: bool | None
    attempts: int
    tokens: Mapping[str, Usage]
    seconds: float


@dataclass(frozen=True, slots=True)
class StartingWith:
    """Wraps a policy whose first route was chosen elsewhere; what has no answer that could be compared is still that
    policy's."""

    others: Policy
    route: Route

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        if assessment.form == "text":
            return self.others.first(assessment, effort)
        return Decision(route=self.route, reason="chosen by the router", considered=(Estimate(route=self.route),))

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        return self.others.after(assessment, effort, attempts)


def replay(policy: Policy, one: Asked, effort: Effort) -> Replayed:
    """The question is assessed as a request would be, whatever its data set knows of its answer. Raises
    ``OutcomeMissing``. May take tens of milliseconds to compare answers."""
    assessment = assess([Message(role="user", content=one.question)])
    decision = policy.first(assessment, effort)
    taken: list[int] = []
    while True:
        taken.append(_index(one, decision.route))
        verdict = policy.after(assessment, effort, [answer_of(one.attempts[index]) for index in taken])
        if not isinstance(verdict, Decision):
            right = one.right[taken[verdict.attempt]] if isinstance(verdict, Accept) else None
            seconds = sum(one.seconds[index] for index in taken)
            return Replayed(right, len(taken), _total([one.tokens[index] for index in taken]), seconds)
        decision = verdict


def comparable(one: Asked) -> bool:
    """Whether `auto` looks for a route at all; what it takes for free text goes to a model at once."""
    return assess([Message(role="user", content=one.question)]).form != "text"


def _index(one: Asked, route: Route) -> int:
    index = one.index(route.name, route.sample)
    if index is None:
        raise OutcomeMissing(f"{one.id} was never tried on {route.name} with seed {route.sample}")
    return index


def _total(parts: Sequence[Mapping[str, Usage]]) -> dict[str, Usage]:
    total: dict[str, Usage] = {}
    for part in parts:
        for model, usage in part.items():
            total[model] = total.get(model, Usage()) + usage
    return total
