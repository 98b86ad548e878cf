"""The playbook's parts over a real Redis."""

import pytest
from redis.asyncio import Redis

from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder


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
