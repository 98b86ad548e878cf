"""What a caller may put in ``model``, and what each name stands for."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from agents.collaborative import collaborative_names
from orchestrator.policies import Policies
from orchestrator.runs import ModelOffer, RunRefused, RunRequest
from orchestrator.settings import Settings
from routers.constant import Constant
from routers.policy import Policy
from routers.route import Effort, Route
from routers.sticky import Turn
from routers.value import Weighed
from workers.ledger import Budget

_AUTO: Mapping[str, Effort | None] = {"auto": None, "auto-fast": "low", "auto-deep": "high"}
_AUTO_TEXT: Mapping[str, str] = {
    "auto": "the least compute that gives a checked answer",
    "auto-fast": "auto at low effort",
    "auto-deep": "auto at high effort",
}
_ROUTE = re.compile(r"^(?P<strategy>[a-z_-]+)\((?P<models>[^()]+)\)$")


class Offers:
    """Virtual models (``auto`` and its efforts, the strategies, routes such as ``program(large)``) and real ones."""

    def __init__(self, settings: Settings, strategies: Sequence[str]) -> None:
        self._settings = settings
        self._strategies = tuple(strategies)
        self._pairs = frozenset(collaborative_names()).intersection(strategies)
        self._policies = self._build_policies()

    def listed(self) -> tuple[ModelOffer, ...]:
        auto = [ModelOffer(name=name, kind="auto", description=text) for name, text in _AUTO_TEXT.items()]
        strategies = [
            ModelOffer(name=name, kind="strategy", description=f"always the strategy {name}")
            for name in self._strategies
            if name not in self._pairs or self._takes_ids("small", "large")
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
        return request.effort or _AUTO.get(request.model) or self._settings.default_effort

    def budget(self, request: RunRequest) -> Budget:
        """The effort's budget with the caller's explicit limits in its place where given."""
        budget = self._settings.efforts[self.effort(request)].budget
        if request.budget is None:
            return budget
        return budget.model_copy(update=request.budget.model_dump(exclude_none=True))

    def pair(self, request: RunRequest) -> Route | None:
        """The route, where the request asks for two models that write together. Raises ``RunRefused``."""
        route = None if request.undisturbed else self._pinned(request)
        return route if route is not None and route.strategy in self._pairs else None

    def chooses(self, request: RunRequest) -> bool:
        """Whether the route is ours to choose."""
        return request.model in _AUTO and request.strategy is None and not request.undisturbed

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

    def _fixed(self, request: RunRequest, route: Route | None) -> Policy | None:
        """The policy of a request that leaves no choice."""
        if request.undisturbed:
            # A strategy would drop the tools, or put a prompt of its own between a call and its result.
            models: tuple[str, ...] = (self.capable(),)
            if route is not None:
                # The capable one of a pair is its second.
                models = route.models[-1:] if route.strategy in self._pairs else route.models[:1]
            reason = "the caller's own tools or schema need the model undisturbed"
            return Constant(Route(strategy="direct", models=models), reason)
        if route is not None:
            return Constant(route, f"the request asks for {route.name}")
        return None

    def _pinned(self, request: RunRequest) -> Route | None:
        if request.strategy is not None:
            if request.strategy not in self._strategies:
                known = ", ".join(self._strategies)
                raise RunRefused(
                    f"there is no strategy {request.strategy!r}; known: {known}", "tandem.strategy", "unknown_strategy"
                )
            model = request.model if self.is_model(request.model) else None
            return self.route(request.strategy, model)
        if request.model in _AUTO:
            return None
        if self.is_model(request.model):
            return Route(strategy="direct", models=(request.model,))
        if request.model in self._strategies:
            return self.route(request.model, None)
        match = _ROUTE.match(request.model)
        if match and match["strategy"] in self._strategies and self._are_models(match):
            return self.route(match["strategy"], match["models"])
        names = ", ".join(offer.name for offer in self.listed())
        raise RunRefused(f"there is no model {request.model[:100]!r}; known: {names}", "model", "model_not_found")

    def _are_models(self, match: re.Match[str]) -> bool:
        """Whether the models of a named route are configured; those of a pair are ``small+large``."""
        names = match["models"].split("+") if match["strategy"] in self._pairs else [match["models"]]
        return all(self.is_model(name) for name in names)

    def _pair(self, strategy: str, models: str | None) -> Route:
        """The route of two models that write together: those named, ``small+large``, else those with these roles."""
        names = tuple(models.split("+")) if models else (self._settings.named("small"), self._settings.named("large"))
        if len(names) != 2:
            raise RunRefused(
                f"strategy {strategy!r} is written by two models, and {models!r} is not two; leave the models out or "
                f"name them as in {strategy}({self._settings.named('small')}+{self._settings.named('large')})",
                "model",
            )
        for name in names:
            if self._settings.models[name].engine.kind == "litellm":
                raise RunRefused(
                    f"strategy {strategy!r} needs two engines that take token ids, and model {name!r} is a provider's; "
                    "ask for another strategy, or serve the model with llamacpp or sglang",
                    "model",
                    "unsupported_value",
                )
        return Route(strategy=strategy, models=names)

    def route(self, strategy: str, model: str | None) -> Route:
        """The route of a strategy on one model, or on the models that the settings give it."""
        if strategy in self._pairs:
            return self._pair(strategy, model)
        if strategy == "consensus" and model is None:
            consensus = self._settings.consensus
            return Route(
                strategy=strategy,
                models=(self._settings.named(consensus.voter), self._settings.named(consensus.judge)),
            )
        return Route(strategy=strategy, models=(model or self._settings.named("large"),))

    def _build_policies(self) -> Policies:
        auto = self._settings.auto
        return Policies(
            self._settings,
            {effort: self._rungs(names) for effort, names in auto.ladders.items()},
            {effort: self._rungs(names) for effort, names in auto.choosing.items()},
            self._rungs(auto.code),
            deducer=self.route("logic", self._settings.named("small")),
            talker=self.route("direct", self._settings.named("large")),
            clerk=self.route("direct", self._settings.named("small")),
        )

    def _rungs(self, names: Sequence[str]) -> tuple[Route, ...]:
        rungs: list[Route] = []
        for name in names:
            match = _ROUTE.match(name)
            if match is None:
                raise ValueError(f"[auto]: {name!r} is not a route such as 'program(large)'")
            route = self.route(match["strategy"], self._by_role(match["models"]))
            sample = sum(earlier.name == route.name for earlier in rungs)
            rungs.append(route.model_copy(update={"sample": sample}))
        return tuple(rungs)

    def _by_role(self, name: str) -> str:
        """Ladders name models by role, so that they hold whatever the models are called."""
        match name:
            case "small" | "large":
                return self._settings.named(name)
            case "small+large":
                return f"{self._settings.named('small')}+{self._settings.named('large')}"
            case _:
                return name
