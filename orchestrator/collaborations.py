"""Collaborative answers as runs get them: refused where they cannot be served, admitted to the queue, charged."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress

from celery import Celery
from redis.asyncio import Redis
from redis.exceptions import RedisError

from orchestrator.model_park import engine_address
from orchestrator.runs import Busy, RunRefused
from orchestrator.settings import Settings
from routers.route import Route
from workers.collaboration.charged import ChargedCollaboration
from workers.collaboration.policies import policy_kind, policy_options
from workers.collaboration.protocol import (
    Collaboration,
    CollaborationBusy,
    CollaborationEvent,
    CollaborationRequest,
    Option,
    UnknownPolicy,
)
from workers.collaboration.remote import CeleryCollaboration
from workers.collaboration.vocabularies import same_vocabulary
from workers.engines.errors import EngineError
from workers.engines.protocol import Engine
from workers.ledger import Ledger


class Collaborations:
    """Built once for a gateway; ``engines`` are those of the configured models."""

    def __init__(self, settings: Settings, celery: Celery, redis: Redis, engines: Mapping[str, Engine]) -> None:
        self._settings = settings
        self._engines = engines
        self._remote = CeleryCollaboration(
            celery,
            redis,
            {
                name: engine_address(settings, name)
                for name, model in settings.models.items()
                if model.engine.kind != "litellm"
            },
            limit=settings.collaboration.queue,
            patience=settings.collaboration.patience_seconds,
            head=settings.collaboration.head,
        )
        self._shared: dict[tuple[str, ...], bool] = {}

    async def admit(self, run: str, route: Route, options: Mapping[str, Option]) -> None:
        """Take a place in the queue for this run's answer. Raises ``RunRefused`` where the two models cannot write it,
        and ``Busy`` where the queue is full."""
        try:
            policy_options(route.strategy, {**self._settings.collaboration.options(route.strategy), **options})
        except UnknownPolicy as error:
            raise RunRefused(str(error), "tandem.options") from error
        await self._refuse_other_tokens(route)
        try:
            await self._remote.places.take(run)
        except CollaborationBusy as error:
            raise Busy(str(error), error.retry_after) from error

    async def leave(self, run: str) -> None:
        """Give back what ``admit`` took, whether the answer was written or not."""
        with suppress(RedisError):  # it expires by itself
            await self._remote.places.leave(run)

    def for_run(self, run: str, ledger: Ledger) -> Collaboration:
        """Both models as this run may let them write: on its place in the queue, charged to its ledger."""
        return charged(_Placed(self._remote, run), ledger, self._settings)

    async def aclose(self) -> None:
        await self._remote.aclose()

    async def _refuse_other_tokens(self, route: Route) -> None:
        if policy_kind(route.strategy).level != "token":
            return
        if not self._engines.keys() >= set(route.models):
            return  # the worker, which alone holds an engine in torch, compares them itself
        if route.models not in self._shared:
            small, large = (self._engines[name] for name in route.models)
            try:
                self._shared[route.models] = await same_vocabulary(small, large)
            except EngineError:
                return  # an engine that is away is the run's own fault to report
        if not self._shared[route.models]:
            raise RunRefused(
                f"strategy {route.strategy!r} mixes tokens, and the tokenizers of {' and '.join(route.models)} differ; "
                "ask for leader, reflection, stepwise or hawkeye, or configure a pair of one family",
                "model",
                "unsupported_value",
            )


def charged(collaboration: Collaboration, ledger: Ledger, settings: Settings) -> Collaboration:
    """The collaboration as one request draws on it."""
    prices = {name: model.price for name, model in settings.models.items()}
    return ChargedCollaboration(collaboration, ledger, prices)


class _Placed:
    """Writes on the place that a run has taken already."""

    def __init__(self, remote: CeleryCollaboration, place: str) -> None:
        self._remote = remote
        self._place = place

    def write(self, request: CollaborationRequest) -> AsyncGenerator[CollaborationEvent, None]:
        return self._remote.write(request, self._place)
