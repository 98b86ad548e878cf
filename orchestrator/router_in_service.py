"""The learned router that serves, as `tandem router` left it: a running gateway follows within seconds."""

import asyncio
import math
import time
from pathlib import Path
from typing import Protocol

import structlog

from orchestrator.settings import Settings
from orchestrator.strategies import build_strategies
from routers.assessment import Assessment
from routers.embedding import Embedder
from routers.estimators.protocol import Estimator
from routers.familiarity import Familiarity
from routers.route import Effort
from routers.value import LearnedRouter, Weighed, routes_by_role
from routers.versions import RouterCard, RouterShelf, VersionError

_LOOK_SECONDS = 5.0
_log = structlog.get_logger(__name__)


class RouterInService(Protocol):
    """What the controller asks."""

    async def weigh(
        self, question: str, assessment: Assessment, effort: Effort, most_tokens: float | None
    ) -> Weighed | None:
        """None where no learned router has a say. ``most_tokens`` may be written; None for no limit."""
        ...


class NoRouter:
    """No learned router serves."""

    async def weigh(
        self, question: str, assessment: Assessment, effort: Effort, most_tokens: float | None
    ) -> Weighed | None:
        return None


class ShelvedRouter:
    """Serves the active version of a shelf, and looks every few seconds whether it is still that one. A version that
    cannot be read, or is of another pair of models, does not serve, and the log says why."""

    def __init__(self, settings: Settings, embedder: Embedder, look_seconds: float = _LOOK_SECONDS) -> None:
        self._settings = settings
        self._embedder = embedder
        self._shelf = RouterShelf(shelf_folder(settings))
        self._serving: LearnedRouter | None = None
        self._active: str | None = None
        self._look_seconds = look_seconds
        self._looked = -math.inf
        self._looking = asyncio.Lock()

    async def weigh(
        self, question: str, assessment: Assessment, effort: Effort, most_tokens: float | None
    ) -> Weighed | None:
        await self._look()
        if self._serving is None:
            return None
        return await self._serving.weigh(question, assessment, effort, most_tokens)

    async def _look(self) -> None:
        if time.monotonic() - self._looked < self._look_seconds:
            return
        async with self._looking:
            if time.monotonic() - self._looked < self._look_seconds:
                return
            try:
                active = await asyncio.to_thread(self._shelf.active)
                if active != self._active:
                    self._serving = None
                    self._serving = None if active is None else await asyncio.to_thread(self._load, active)
                    _log.info("learned router", serving=active)
                self._active = active
            except VersionError as error:
                self._serving = None
                _log.warning("no learned router serves", reason=str(error))
            self._looked = time.monotonic()

    def _load(self, version: str) -> LearnedRouter:
        settings = self._settings
        card, estimator, familiarity = serving_version(self._shelf, version, settings)
        roles = {name: model.role for name, model in settings.models.items()}
        routes = routes_by_role(card.routes, roles, tuple(build_strategies(settings)))
        price = card.prices(settings.acceptance.price)
        return LearnedRouter(version, estimator, familiarity, self._embedder, routes, price, card.fallback)


def serving_version(shelf: RouterShelf, version: str, settings: Settings) -> tuple[RouterCard, Estimator, Familiarity]:
    """A version that may serve the configured models. Raises ``VersionError``."""
    card, estimator, familiarity = shelf.load(version)
    card.refuse_other_pair(*(settings.models[settings.named(role)].sha256 for role in ("small", "large")))
    return card, estimator, familiarity


def shelf_folder(settings: Settings) -> Path:
    return settings.storage.directory / "routers"
