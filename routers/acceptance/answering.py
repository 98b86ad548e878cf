"""What a caller with a risk is answered: the attempts that serve at a known question, and where one may be given."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from agents.problem import Answer, Evidence
from routers.acceptance.asked import Asked
from routers.acceptance.attempt import Attempt, Roles, by_role
from routers.assessment import assess
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Route, route_named
from workers.messages import Message


@dataclass(frozen=True, slots=True)
class Offer:
    """After the attempts ``taken`` (indices) the policy would give the one at ``position`` among them."""

    taken: tuple[int, ...]
    position: int


@dataclass(frozen=True, slots=True)
class _Served:
    """Every offer at a question, and the route that it was never tried on, if the policy took one such."""

    offers: tuple[Offer, ...]
    untried: str | None = None


@dataclass(frozen=True, slots=True)
class Answering:
    """The ``policy`` that serves at ``effort``, and the ``options`` that follow where what it accepts is not sure
    enough; ``roles`` as in ``Roles``. What it does at a question is worked out once: folds ask again."""

    policy: Policy
    options: Sequence[Route]
    effort: Effort
    roles: Roles
    _known: dict[str, _Served | None] = field(default_factory=dict, init=False, repr=False)

    def offers(self, one: Asked, known: Collection[str]) -> list[Offer] | None:
        """Every answer that the policy accepts, as if none were sure enough, up to a route that is not ``known``: from
        there on nothing is vouched for. None where the question is not asked in this way at all, or was not tried on a
        route that it takes.

        May take tens of milliseconds to compare answers.
        """
        if one.id not in self._known:
            self._known[one.id] = self._served(one)
        served = self._known[one.id]
        if served is None:
            return None
        judged = [offer for offer in served.offers if all(one.attempts[i].route in known for i in offer.taken)]
        whole = len(judged) == len(served.offers)
        return None if whole and served.untried in known else judged

    def _served(self, one: Asked) -> _Served | None:
        assessment = assess([Message(role="user", content=one.question)])
        if assessment.form != one.form or assessment.form in ("text", "code"):
            return None
        offers: list[Offer] = []
        taken: list[int] = []
        route: Route | None = self.policy.first(assessment, self.effort).route
        while route is not None:
            name = by_role(route.name, self.roles)
            index = one.index(name, route.sample)
            if index is None:
                return _Served(tuple(offers), name)
            taken.append(index)
            verdict = self.policy.after(assessment, self.effort, [answer_of(one.attempts[index]) for index in taken])
            if isinstance(verdict, Accept):
                offers.append(Offer(tuple(taken), verdict.attempt))
            route = self._next(verdict, [one.attempts[index].route for index in taken])
        return _Served(tuple(offers))

    def _next(self, verdict: Accept | Abstain | Decision, done: Sequence[str]) -> Route | None:
        if isinstance(verdict, Decision):
            return verdict.route
        return further(self.options, done, self.roles) if isinstance(verdict, Accept) else None


def further(options: Sequence[Route], done: Sequence[str], roles: Roles) -> Route | None:
    """The first of ``options`` that was not tried yet; ``done`` names the routes of the attempts by role."""
    return next((route for route in options if route.sample >= done.count(by_role(route.name, roles))), None)


def answer_of(attempt: Attempt) -> Answer:
    """The attempt as a policy sees it. Its models are named by their roles."""
    route = route_named(attempt.route)
    return Answer(
        text=attempt.value or "",
        value=attempt.value,
        strategy=route.strategy,
        model=route.models[-1],
        evidence=Evidence(
            program_ran=attempt.ran,
            agreement=attempt.agreement,
            mean_logprob=attempt.logprob,
            length=attempt.length,
        ),
    )
