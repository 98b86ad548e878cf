"""A learned router in service: the route with the best expected value comes first, where the question is familiar.

Value is predicted success less a price times predicted cost, among the routes that are expected to fit the budget. What
comes after the first attempt is the wrapped policy's to say.
"""

import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from agents.problem import Answer, AnswerForm
from routers.assessment import Assessment
from routers.embedding import Embedder
from routers.estimators.choice import best_route
from routers.estimators.descriptions import parts_of
from routers.estimators.features import Features
from routers.estimators.protocol import Estimator, Prediction
from routers.familiarity import Familiarity
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Estimate, Route

UNROUTED: tuple[AnswerForm, ...] = ("text", "code")
"""Forms of answers that cannot be compared, for which a learned router has no say."""
# With so little effort a second opinion is not wanted: the answer of the chosen route is taken.
_TAKEN_AS_IT_IS: tuple[Effort, ...] = ("none", "minimal", "low")


class Weighed(BaseModel):
    """What the router says of one question. ``route`` None: it leaves the choice to the policy that it wraps, and
    ``reason`` says why."""

    model_config = ConfigDict(frozen=True)

    route: Route | None
    reason: str
    considered: tuple[Estimate, ...] = ()


def has_a_say(assessment: Assessment) -> bool:
    """Whether a learned router may choose the route: not for answers that cannot be compared, for an interface's own
    requests, and for what a solver decides without a model."""
    return not (assessment.form in UNROUTED or assessment.interface_task or assessment.decidable)


class LearnedRouter:
    """``routes`` maps the names that the estimator knows, by role, to the routes of the configured models; what is not
    among them is not offered. ``price`` by effort, in success for one unit of cost; where it is infinite, and for
    answers that cannot be compared, there is no choice to make. ``name`` is the version's."""

    def __init__(
        self,
        name: str,
        estimator: Estimator,
        familiarity: Familiarity,
        embedder: Embedder,
        routes: Mapping[str, Route],
        price: Mapping[Effort, float],
        fallback: str | None = None,
    ) -> None:
        self.name = name
        self._estimator = estimator
        self._familiarity = familiarity
        self._embedder = embedder
        self._routes = routes
        self._price = price
        self._fallback = fallback

    async def weigh(
        self, question: str, assessment: Assessment, effort: Effort, most_tokens: float | None = None
    ) -> Weighed | None:
        """None where the router has no say. ``most_tokens`` may be written; None for no limit."""
        price = self._price[effort]
        if not has_a_say(assessment) or math.isinf(price):
            return None
        vector = (await self._embedder.embed([question]))[0]
        features = Features(question, assessment.form, vector)
        strange = self._familiarity.strange(features)
        if strange is not None:
            return Weighed(route=None, reason=f"the learned router has no say: {strange}")
        known = self._estimator.predict(features)
        offered = {name: prediction for name, prediction in known.items() if name in self._routes}
        if not offered:
            return None
        limit = math.inf if most_tokens is None else most_tokens
        best = best_route(offered, price, fallback=self._fallback, most_tokens=limit)
        return Weighed(
            route=self._routes[best], reason=_reason(best, offered, price), considered=self._estimates(offered)
        )

    def _estimates(self, offered: Mapping[str, Prediction]) -> tuple[Estimate, ...]:
        return tuple(
            Estimate(route=self._routes[name], success=one.success, tokens=one.tokens, cost=one.cost)
            for name, one in offered.items()
        )


class Valued:
    """Wraps the policy that serves without a learned router."""

    def __init__(self, policy: Policy, weighed: Weighed) -> None:
        self._policy = policy
        self._weighed = weighed

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        otherwise = self._policy.first(assessment, effort)
        if self._weighed.route is None:
            return otherwise.model_copy(update={"reason": f"{otherwise.reason}; {self._weighed.reason}"})
        return Decision(route=self._weighed.route, reason=self._weighed.reason, considered=self._weighed.considered)

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        chosen = self._weighed.route
        if chosen is not None and len(attempts) == 1 and effort in _TAKEN_AS_IT_IS and attempts[0].value is not None:
            return Accept(attempt=0, reason=f"the learned router's choice at effort {effort!r}")
        verdict = self._policy.after(assessment, effort, attempts)
        again = isinstance(verdict, Decision) and verdict.route == chosen
        none_left = isinstance(verdict, Abstain) and len(attempts) == 1
        if chosen is None or not (again or none_left):
            return verdict
        # The chosen route was tried already, in the place of the policy's own first: that one comes now instead.
        own = self._policy.first(assessment, effort)
        return own.model_copy(update={"reason": verdict.reason}) if own.route != chosen else verdict


def routes_by_role(names: Sequence[str], roles: Mapping[str, str], strategies: Sequence[str]) -> dict[str, Route]:
    """The routes of the configured models behind names such as ``program(large)``, as far as there are such models and
    strategies. ``roles``: from a model's name to its role."""
    models = {role: name for name, role in roles.items()}
    found = {}
    for name in names:
        strategy, wanted = parts_of(name)
        members = tuple(models.get(role, role) for role in wanted.split("+"))
        if strategy in strategies and all(member in roles for member in members):
            found[name] = Route(strategy=strategy, models=members)
    return found


def _reason(best: str, offered: Mapping[str, Prediction], price: float) -> str:
    chosen = offered[best]
    said = (
        f"{best} has the best expected value: {chosen.success:.0%} likely to be right for a cost of {chosen.cost:.2f}"
    )
    others = {name: one.success - price * one.cost for name, one in offered.items() if name != best}
    if not others:
        return said
    second = max(others, key=lambda name: others[name])
    return f"{said}, before {second} with {offered[second].success:.0%} for {offered[second].cost:.2f}"
