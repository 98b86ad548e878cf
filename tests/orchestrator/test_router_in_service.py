"""The learned router behind a gateway: activation and rollback are followed, and what cannot serve does not."""

from collections.abc import Callable

import pytest
import structlog

from agents.events import Routed
from orchestrator.compose import open_tandem
from orchestrator.router_in_service import ShelvedRouter, shelf_folder
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.settings_router import RouterSettings
from routers.assessment import assess
from routers.embedding import WordEmbedder
from routers.estimators.knn import fit_neighbours
from routers.training import Course, train
from routers.value import Weighed
from routers.versions import RouterShelf
from tests.orchestrator.conftest import events_of, last_of
from tests.routers import outcomes
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget
from workers.messages import Message

_LOGIC = "If every wumpus 7 is a tumpus and Max is a wumpus, does it follow that Max is a tumpus 9? Yes or no?"


@pytest.fixture(scope="module")
def embedder() -> WordEmbedder:
    return WordEmbedder()


def _shelve(settings: Settings, embedder: WordEmbedder, seed: int = 0) -> str:
    """A version that is good enough to serve, on the shelf of the settings."""
    small, large = (settings.models[settings.named(role)].sha256 for role in ("small", "large"))
    table = outcomes.table(outcomes.synthetic(40), embedder)
    course = Course("knn", small, large, settings.acceptance.price, seed=seed, folds=3)
    trained = train(table, fit_neighbours(k=20), course)
    RouterShelf(shelf_folder(settings)).save(trained.card, trained.estimator, trained.familiarity, trained.keys)
    return trained.card.id


def _activate(settings: Settings, version: str) -> None:
    small, large = (settings.models[settings.named(role)].sha256 for role in ("small", "large"))
    RouterShelf(shelf_folder(settings)).activate(version, small, large)


async def _weigh(router: ShelvedRouter) -> Weighed | None:
    return await router.weigh(_LOGIC, assess([Message(role="user", content=_LOGIC)]), "medium", None)


async def test_a_running_gateway_follows_activation_and_rollback(settings: Settings, embedder: WordEmbedder) -> None:
    router = ShelvedRouter(settings, embedder, look_seconds=0)
    assert await _weigh(router) is None
    _activate(settings, _shelve(settings, embedder))
    weighed = await _weigh(router)
    assert weighed is not None and weighed.route is not None and weighed.route.name == "cot(large)"
    RouterShelf(shelf_folder(settings)).rollback()
    assert await _weigh(router) is None


async def test_a_version_that_cannot_be_read_does_not_serve_and_the_log_says_why(
    settings: Settings, embedder: WordEmbedder
) -> None:
    version = _shelve(settings, embedder)
    _activate(settings, version)
    (shelf_folder(settings) / version / "estimator.npz").write_bytes(b"broken")
    with structlog.testing.capture_logs() as logs:
        assert await _weigh(ShelvedRouter(settings, embedder)) is None
    assert any(version in str(entry.get("reason")) for entry in logs)


async def test_a_version_of_other_models_does_not_serve(settings: Settings, embedder: WordEmbedder) -> None:
    _activate(settings, _shelve(settings, embedder))
    large = settings.models["large"].model_copy(update={"sha256": "f" * 64})
    other = settings.model_copy(update={"models": {**settings.models, "large": large}})
    assert await _weigh(ShelvedRouter(other, embedder)) is None


async def test_auto_takes_the_route_that_the_router_in_service_values_most(
    settings: Settings,
    embedder: WordEmbedder,
    scripted: ScriptedServer,
    request_for: Callable[..., RunRequest],
    owner: str,
) -> None:
    scripted.script = Script(default=say("So it is \\boxed{yes}."))
    _activate(settings, _shelve(settings, embedder))
    async with open_tandem(settings) as tandem:
        run = await tandem.runs.start(request_for(_LOGIC))
        events = await events_of(tandem, run, owner)
    routed = next(event for event in events if isinstance(event, Routed))
    assert routed.route == "cot(large)" and "best expected value" in routed.reason
    assert all(considered.success is not None for considered in routed.considered)
    last = last_of(events)
    assert last.status == "answered" and last.value == "yes"


async def test_the_route_that_is_shown_heeds_the_budget_as_a_run_does(
    settings: Settings, embedder: WordEmbedder, scripted: ScriptedServer, request_for: Callable[..., RunRequest]
) -> None:
    _activate(settings, _shelve(settings, embedder))
    async with open_tandem(settings) as tandem:
        free = await tandem.runs.decide(request_for(_LOGIC))
        bounded = await tandem.runs.decide(request_for(_LOGIC, budget=Budget(tokens=60)))
    assert (free.route.name, bounded.route.name) == ("cot(large)", "direct(large)")


async def test_the_settings_can_leave_it_out(
    settings: Settings, embedder: WordEmbedder, request_for: Callable[..., RunRequest]
) -> None:
    _activate(settings, _shelve(settings, embedder))
    without = settings.model_copy(update={"router": RouterSettings(serve=False)})
    async with open_tandem(without) as tandem:
        decision = await tandem.runs.decide(request_for(_LOGIC))
    assert decision.route.name == "program(large)"
