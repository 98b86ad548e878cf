"""The answer-side policy: after each attempt, is another one worth what it costs?

What looking at the answer says is where the gain of routing is (RouterArena's and other held-out comparisons); what
another attempt adds is the value of information about the answer that is in hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agents.problem import Answer, AnswerForm
from routers.acceptance.attempt import Attempt, Roles, attempt_of, by_role
from routers.acceptance.card import AcceptanceCard
from routers.acceptance.judgement import Judgement, judge, unknown
from routers.assessment import Assessment
from routers.policy import Abstain, Accept, Policy
from routers.route import Decision, Effort, Estimate, Route
from workers.ledger import Budget

# From here on the evidence is said to speak for an answer; below, a clarifying question may come instead.
_SUPPORTED = 0.5


@dataclass(frozen=True, slots=True)
class _Option:
    route: Route
    gain: float
    cost: float
    tokens: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """Wraps the policy that serves where nothing was learned, and that chooses the first route.

    ``options`` by effort are the routes that may follow, each at most once; ``price`` by effort is how much probability
    of a right answer the cost of one large ``cot`` is worth. ``left`` is what remains of the request's budget, None for
    no limit; ``roles`` gives the role of each configured model.
    """

    others: Policy
    card: AcceptanceCard
    roles: Roles
    options: Mapping[Effort, Sequence[Route]]
    price: Mapping[Effort, float]
    left: Budget | None = None

    def within(self, left: Budget | None) -> "Weighing":
        """The same policy with so much budget left."""
        return replace(self, left=left)

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        return self.others.first(assessment, effort)

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        if assessment.form in ("text", "code"):
            return self.others.after(assessment, effort, attempts)
        tried = [attempt_of(answer, assessment, self.roles) for answer in attempts]
        why = unknown(self.card, tried, assessment.form)
        if why is not None:
            return _uncalibrated(self.others.after(assessment, effort, attempts), why)
        judgement = judge(self.card, tried, assessment.form)
        option = self._best(tried, judgement, assessment.form, effort)
        if option is not None:
            return self._further(option, judgement)
        if judgement.attempt is None:
            return Abstain(reason=f"none of {len(attempts)} attempts gave an answer")
        return Accept(
            attempt=judgement.attempt,
            reason=f"{said(judgement)}, and no further attempt is worth its cost",
            supported=judgement.probability >= _SUPPORTED,
        )

    def _best(self, tried: Sequence[Attempt], judgement: Judgement, form: AnswerForm, effort: Effort) -> _Option | None:
        """The attempt that is worth most beyond its cost; without any answer so far the next one that can be paid."""
        options = [option for option in self._options(tried, judgement, form, effort) if self._affordable(option)]
        if judgement.attempt is None:
            return next(iter(options), None)
        price = self.price[effort]
        best = max(options, key=lambda option: option.gain - price * option.cost, default=None)
        return best if best is not None and best.gain > price * best.cost else None

    def _options(
        self, tried: Sequence[Attempt], judgement: Judgement, form: AnswerForm, effort: Effort
    ) -> list[_Option]:
        done = [attempt.route for attempt in tried]
        found = []
        for route in self.options[effort]:
            name = by_role(route.name, self.roles)
            if route.sample < done.count(name):
                continue
            gain, measured = self.card.gain(done, name), self.card.of(name, form)
            if measured is None or (gain is None and judgement.attempt is not None):
                continue
            worth = 0.0 if gain is None else gain.at(judgement.probability)
            found.append(_Option(route, worth, measured.cost, measured.tokens))
        return found

    def _affordable(self, option: _Option) -> bool:
        left = self.left
        if left is None:
            return True
        return (left.calls is None or left.calls >= 1) and (left.tokens is None or left.tokens >= option.tokens)

    def _further(self, option: _Option, judgement: Judgement) -> Decision:
        likely = min(1.0, judgement.probability + max(0.0, option.gain))
        estimate = Estimate(route=option.route, success=likely, tokens=option.tokens, cost=option.cost)
        reason = f"{said(judgement)}; {option.route.name} adds {option.gain * 100:.1f} points for a cost of "
        if judgement.attempt is None:
            reason = f"no answer so far; {option.route.name} comes next for a cost of "
        return Decision(route=option.route, reason=f"{reason}{option.cost:.2f}", considered=(estimate,))


def said(judgement: Judgement) -> str:
    """The judgement as half a sentence."""
    others = judgement.supporters - 1
    support = f", {others} other{'s' * (others > 1)} agree{'s' * (others == 1)}" if others else ""
    return f"the answer is {judgement.probability:.0%} likely to be right by its evidence{support}"


def _uncalibrated(verdict: Accept | Abstain | Decision, why: str) -> Accept | Abstain | Decision:
    return verdict.model_copy(update={"reason": f"{verdict.reason} (uncalibrated: {why})"})
