"""The playbook's parts over a real Redis."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from orchestrator.compose import Tandem
from orchestrator.model_park import ModelPark
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.workshop import Workshop, open_workshop
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from tests.orchestrator.playbook.trials import Requests, Trials
from workers.celery_app import create_app


@pytest.fixture(scope="session")
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """On a machine that others use too, a run waits longer for its playbook."""
    return settings.model_copy(update={"playbook": PlaybookSettings(recall_milliseconds=5000)})


@pytest.fixture
def parts(settings: Settings, redis: Redis, embedder: WordEmbedder) -> PlaybookParts:
    return build_parts(settings, redis, embedder, build_strategies(settings))


@pytest.fixture
async def workshop(settings: Settings, redis_url: str) -> AsyncIterator[Workshop]:
    async with open_workshop(settings, create_app(redis_url)) as opened:
        yield opened


@pytest.fixture
async def park(settings: Settings) -> AsyncIterator[ModelPark]:
    park = ModelPark(settings, None)
    yield park
    await park.aclose()


@pytest.fixture
def trials(
    settings: Settings, tandem: Tandem, parts: PlaybookParts, park: ModelPark, request_for: Requests, owner: str
) -> Trials:
    return Trials(settings, tandem, parts, park, request_for, owner)
