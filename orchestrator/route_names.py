"""The names of routes, ``program``, ``program(large)`` or ``entropy(small+large)``, and the routes they stand for."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from agents.collaborative import collaborative_names
from orchestrator.settings import Settings
from orchestrator.settings_keys import nearest
from routers.route import Effort, Route

AUTO: Mapping[str, Effort | None] = MappingProxyType({"auto": None, "auto-fast": "low", "auto-deep": "high"})
"""Names that leave the choice of a route to Tandem, each with the effort that it asks for."""

_NAME = re.compile(r"^(?P<strategy>[a-z_-]+)\((?P<models>[^()]+)\)$")


class NoSuchRoute(ValueError):
    """The name stands for no route that can be taken here; the message says why, and what does."""


class RouteNames:
    """``strategies`` are those that exist; ``pairs`` those of them that two models write together."""

    def __init__(self, settings: Settings, strategies: Iterable[str]) -> None:
        self._settings = settings
        self.strategies = tuple(strategies)
        self.pairs = frozenset(collaborative_names()).intersection(self.strategies)

    def requested(self, name: str) -> Route | None:
        """The route of what a request may name: a model, a strategy, or both; None where the name is none of these.
        Raises ``NoSuchRoute``."""
        if name in self._settings.models:
            return Route(strategy="direct", models=(name,))
        if name in self.strategies:
            return self.route(name)
        match = _NAME.match(name)
        if match is None or match["strategy"] not in self.strategies:
            return None
        models = self._models(match)
        return self.route(match["strategy"], *models) if self._settings.models.keys() >= set(models) else None

    def configured(self, name: str) -> Route:
        """The route of a name in the settings, where a model goes by its role as well, so that ladders hold whatever
        the models are called. Raises ``NoSuchRoute``."""
        match = _NAME.match(name)
        if match is None:
            raise NoSuchRoute(f"{name!r} is not a route such as 'program(large)'")
        if match["strategy"] not in self.strategies:
            known = nearest(match["strategy"], self.strategies)
            raise NoSuchRoute(f"{name!r} names no strategy; {known}")
        roles = {"small": self._settings.named("small"), "large": self._settings.named("large")}
        models = [roles.get(model, model) for model in self._models(match)]
        for model in models:
            if model not in self._settings.models:
                known = nearest(model, dict.fromkeys((*roles, *self._settings.models)))
                raise NoSuchRoute(f"{name!r} names {model!r}, which is no model; {known}")
        return self.route(match["strategy"], *models)

    def route(self, strategy: str, *models: str) -> Route:
        """The route of a strategy on these models, or on those that the settings give it where none is named. Raises
        ``NoSuchRoute``."""
        if strategy in self.pairs:
            return self._pair(strategy, models)
        if models:
            return Route(strategy=strategy, models=models)
        if strategy == "consensus":
            consensus = self._settings.consensus
            return Route(
                strategy=strategy,
                models=(self._settings.named(consensus.voter), self._settings.named(consensus.judge)),
            )
        return Route(strategy=strategy, models=(self._settings.named("large"),))

    def _models(self, match: re.Match[str]) -> tuple[str, ...]:
        """The models of a named route; those of a pair are ``small+large``."""
        return tuple(match["models"].split("+")) if match["strategy"] in self.pairs else (match["models"],)

    def _pair(self, strategy: str, models: tuple[str, ...]) -> Route:
        """The route of two models that write together: those named, else those with these roles."""
        roles = (self._settings.named("small"), self._settings.named("large"))
        names = models or roles
        if len(names) != 2:
            raise NoSuchRoute(
                f"strategy {strategy!r} is written by two models, and {'+'.join(names)!r} is not two; leave the models "
                f"out or name them as in {strategy}({'+'.join(roles)})"
            )
        for name in names:
            if self._settings.models[name].engine.kind == "litellm":
                raise NoSuchRoute(
                    f"strategy {strategy!r} needs two engines that take token ids, and model {name!r} is a provider's; "
                    "ask for another strategy, or serve the model with llamacpp or sglang"
                )
        return Route(strategy=strategy, models=names)
