"""Which policies serve a request, one around the other."""

from collections.abc import Mapping, Sequence

from orchestrator.acceptance_readiness import configured_card
from orchestrator.runs import RunRefused
from orchestrator.settings import Settings
from orchestrator.settings_auto import AutoSettings
from routers.acceptance.answering import Answering
from routers.acceptance.selecting import Selecting
from routers.acceptance.weighing import Weighing
from routers.choosing import Choosing
from routers.coding import Coding
from routers.deducing import Deducing
from routers.explained import Explained
from routers.ladder import Ladder, Ladders
from routers.policy import Policy
from routers.route import Effort, Route
from routers.sticky import Sticky, Turn
from routers.value import Valued, Weighed
from workers.ledger import Budget


def climbing(auto: AutoSettings, ladders: Ladders, choosing: Ladders, talker: Route, clerk: Route) -> Policy:
    """The training-free policy on these rungs: ``choosing`` for questions that name their answers and give nothing
    to derive one from, ``ladders`` for everything else."""

    def ladder(rungs: Ladders, enough: Mapping[str, Mapping[Effort, float]]) -> Ladder:
        return Ladder(rungs, talker=talker, clerk=clerk, enough=enough, agreeing=auto.agreeing, scales=auto.scales)

    return Choosing(ladder(ladders, {"program": auto.accept_logprob}), ladder(choosing, {"direct": auto.accept_choice}))


class Policies:
    """``ladders`` and ``choosing``, by effort, and ``code`` are routes in the order in which they are tried;
    ``deducer`` reads questions of deduction without a model, ``talker`` answers what cannot be checked, ``clerk`` the
    hidden requests of chat interfaces. Raises ``CardUnreadable``."""

    def __init__(
        self,
        settings: Settings,
        ladders: Ladders,
        choosing: Ladders,
        code: Sequence[Route],
        deducer: Route,
        talker: Route,
        clerk: Route,
    ) -> None:
        self._settings = settings
        self._roles = {name: model.role for name, model in settings.models.items()}
        self._large = settings.named("large")
        self._card = configured_card(settings)
        self._options = {
            effort: self._with_samples(tuple(dict.fromkeys((*rungs, *choosing[effort]))))
            for effort, rungs in ladders.items()
        }
        free = Coding(climbing(settings.auto, ladders, choosing, talker, clerk), code)
        raised = climbing(settings.auto, self._all_capable(ladders), self._all_capable(choosing), talker, clerk)
        self._free = Deducing(free, deducer)
        self._raised = Deducing(Coding(raised, self._capable(code)), deducer)

    def auto(self, left: Budget | None = None, turn: Turn | None = None, weighed: Weighed | None = None) -> Policy:
        """The policy of `auto`, with ``left`` of the request's budget, after the ``turn`` before in the thread and with
        what a learned router says."""
        policy: Policy = self._free if weighed is None else Valued(self._free, weighed)
        if turn is not None and self._large in turn.models:
            policy = Sticky(policy, self._staying(weighed), turn.form)
        if self._settings.acceptance.decides and self._card is not None:
            return Weighing(policy, self._card, self._roles, self._options, self._settings.acceptance.price, left)
        return policy

    def explained(self, policy: Policy) -> Policy:
        """``policy`` with what was measured of the routes that it considers."""
        return policy if self._card is None else Explained(policy, self._card, self._roles)

    def selecting(self, policy: Policy, risk: float, pinned: bool) -> Policy:
        """``policy``, whose answers are given at this risk only; a ``pinned`` route is not followed by others.
        Raises ``RunRefused`` where nothing vouches for it."""
        if self._card is None:
            raise RunRefused(
                "'tandem.max_risk' needs outcomes of this pair of models, and there are none: leave it out, or collect "
                "them with `tandem bench collect` and learn from them with `tandem train acceptance`",
                "tandem.max_risk",
                "unsupported_value",
            )
        points = self._card.points(risk)
        if not points:
            least = min((known.risk for known in self._card.risks), default=None)
            lowest = "no risk" if least is None else f"a risk of {least:g} at the least"
            raise RunRefused(
                f"'tandem.max_risk' cannot be {risk:g}: the known outcomes vouch for {lowest}",
                "tandem.max_risk",
                "invalid_value",
            )
        options: Mapping[Effort, Sequence[Route]] = dict.fromkeys(self._options, ()) if pinned else self._options
        return Selecting(policy, self._card, self._roles, points, options)

    def answering(self, effort: Effort) -> Answering:
        """What answers a request with a risk at ``effort``, for those who learn which answers are sure enough."""
        return Answering(self._free, self._options[effort], effort, self._roles)

    def _staying(self, weighed: Weighed | None) -> Policy:
        """What serves a thread that is on the capable model: a learned router's choice of another does not count."""
        if weighed is None or (weighed.route is not None and self._large not in weighed.route.models):
            return self._raised
        return Valued(self._raised, weighed)

    def _all_capable(self, ladders: Ladders) -> Ladders:
        return {effort: self._capable(rungs) for effort, rungs in ladders.items()}

    def _capable(self, rungs: Sequence[Route]) -> tuple[Route, ...]:
        """The rungs that the capable model has part in; all of them where it has none."""
        return tuple(route for route in rungs if self._large in route.models) or tuple(rungs)

    def _with_samples(self, rungs: Sequence[Route]) -> tuple[Route, ...]:
        """The rungs, and further samples of the first one that are not among them."""
        first = rungs[0]
        known = max(route.sample for route in rungs if route.name == first.name)
        further = range(known + 1, known + 1 + self._settings.acceptance.samples)
        return (*rungs, *(first.model_copy(update={"sample": sample}) for sample in further))
