"""What a caller may put in ``model``, and what each name stands for."""

from collections.abc import Mapping, Sequence
from typing import Literal

from orchestrator.policies import Policies
from orchestrator.route_names import AUTO, NoSuchRoute, RouteNames
from orchestrator.runs import ModelOffer, RunRefused, RunRequest
from orchestrator.settings import Settings
from routers.acceptance.answering import Answering
from routers.constant import Constant
from routers.policy import Policy
from routers.route import Effort, Route
from routers.sticky import Turn
from routers.value import Weighed
from workers.ledger import Budget

_AUTO_TEXT: Mapping[str, str] = {
    "auto": "the least compute that gives a checked answer",
    "auto-fast": "auto at low effort",
    "auto-deep": "auto at high effort",
}


class Offers:
    """Virtual models (``auto`` and its efforts, the strategies, routes such as ``program(large)``) and real ones."""

    def __init__(self, settings: Settings, strategies: Sequence[str]) -> None:
        self._settings = settings
        self._names = RouteNames(settings, strategies)
        self._policies = self._build_policies()

    def listed(self) -> tuple[ModelOffer, ...]:
        auto = [ModelOffer(name=name, kind="auto", description=text) for name, text in _AUTO_TEXT.items()]
        strategies = [
            ModelOffer(name=name, kind="strategy", description=f"always the strategy {name}")
            for name in self._names.strategies
            if name not in self._names.pairs or self._takes_ids("small", "large")
        ]
        models = [
            ModelOffer(name=name, kind="model", description=f"the {model.role} model, passed through")
            for name, model in self._settings.models.items()
        ]
        return (*auto, *strategies, *models)

    def _takes_ids(self, *roles: Literal["small", "large"]) -> bool:
        """Whether the models of these roles have engines of their own, which two that write together need."""
        return all(self._settings.models[self._settings.named(role)].engine.kind != "litellm" for role in roles)

    def is_model(self, name: str) -> bool:
        return name in self._settings.models

    def passes_through(self, request: RunRequest) -> bool:
        """Whether the request is one plain call of the model that it names."""
        return request.strategy is None and self.is_model(request.model)

    def may_ask(self, request: RunRequest) -> bool:
        """Whether a clarifying question may come instead of an answer: whoever names a strategy wants its answer."""
        return self.chooses(request)

    def capable(self) -> str:
        """The name of the model that judges questions."""
        return self._settings.named("large")

    def effort(self, request: RunRequest) -> Effort:
        return request.effort or AUTO.get(request.model) or self._settings.default_effort

    def budget(self, request: RunRequest) -> Budget:
        """The effort's budget with the caller's explicit limits in its place where given."""
        budget = self._settings.efforts[self.effort(request)].budget
        if request.budget is None:
            return budget
        return budget.model_copy(update=request.budget.model_dump(exclude_none=True))

    def pair(self, request: RunRequest) -> Route | None:
        """The route, where the request asks for two models that write together. Raises ``RunRefused``."""
        route = None if request.undisturbed else self._pinned(request)
        return route if route is not None and route.strategy in self._names.pairs else None

    def chooses(self, request: RunRequest) -> bool:
        """Whether the route is ours to choose."""
        return request.model in AUTO and request.strategy is None and not request.undisturbed

    def policy(
        self,
        request: RunRequest,
        left: Budget | None = None,
        turn: Turn | None = None,
        weighed: Weighed | None = None,
    ) -> Policy:
        """The policy that serves a request, with so much budget left, after the turn before it in its thread, and with
        what a learned router says. Raises ``RunRefused`` for a name that stands for nothing, and for a risk that
        nothing vouches for."""
        route = self._pinned(request)
        policy = self._fixed(request, route) or self._policies.auto(left, turn, weighed)
        if request.max_risk is not None:
            if self.passes_through(request) or request.undisturbed:
                raise RunRefused(
                    "'tandem.max_risk' is for answers that can be compared, and this request goes to the model as it "
                    "is; leave it out, or ask for 'auto' without tools and schema",
                    "tandem.max_risk",
                    "unsupported_value",
                )
            policy = self._policies.selecting(policy, request.max_risk, pinned=route is not None)
        return self._policies.explained(policy)

    def answering(self, effort: Effort) -> Answering:
        """As `auto` answers a request with a risk."""
        return self._policies.answering(effort)

    def _fixed(self, request: RunRequest, route: Route | None) -> Policy | None:
        """The policy of a request that leaves no choice."""
        if request.undisturbed:
            # A strategy would drop the tools, or put a prompt of its own between a call and its result.
            models: tuple[str, ...] = (self.capable(),)
            if route is not None:
                # The capable one of a pair is its second.
                models = route.models[-1:] if route.strategy in self._names.pairs else route.models[:1]
            reason = "the caller's own tools or schema need the model undisturbed"
            return Constant(Route(strategy="direct", models=models), reason)
        if route is not None:
            return Constant(route, f"the request asks for {route.name}")
        return None

    def _pinned(self, request: RunRequest) -> Route | None:
        if request.strategy is None and request.model in AUTO:
            return None
        try:
            route = self._names.requested(request.model) if request.strategy is None else self._with_strategy(request)
        except NoSuchRoute as error:
            raise RunRefused(str(error), "model", "unsupported_value") from error
        if route is None:
            names = ", ".join(offer.name for offer in self.listed())
            raise RunRefused(f"there is no model {request.model[:100]!r}; known: {names}", "model", "model_not_found")
        return route

    def _with_strategy(self, request: RunRequest) -> Route:
        """The route of a request that names its strategy, on the model that it names, if it is one."""
        if request.strategy not in self._names.strategies:
            known = ", ".join(self._names.strategies)
            raise RunRefused(
                f"there is no strategy {request.strategy!r}; known: {known}", "tandem.strategy", "unknown_strategy"
            )
        models = (request.model,) if self.is_model(request.model) else ()
        return self._names.route(request.strategy, *models)

    def _build_policies(self) -> Policies:
        auto = self._settings.auto
        return Policies(
            self._settings,
            {effort: self._rungs(names) for effort, names in auto.ladders.items()},
            {effort: self._rungs(names) for effort, names in auto.choosing.items()},
            self._rungs(auto.code),
            deducer=self._names.route("logic", self._settings.named("small")),
            talker=self._names.route("direct", self._settings.named("large")),
            clerk=self._names.route("direct", self._settings.named("small")),
        )

    def _rungs(self, names: Sequence[str]) -> tuple[Route, ...]:
        rungs: list[Route] = []
        for name in names:
            route = self._names.configured(name)
            sample = sum(earlier.name == route.name for earlier in rungs)
            rungs.append(route.model_copy(update={"sample": sample}))
        return tuple(rungs)
