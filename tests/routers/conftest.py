"""What the tests of routers share."""

import asyncio

import pytest

from routers.embedding import WordEmbedder
from routers.estimators.descriptions import embed_parts
from routers.estimators.features import Array
from routers.estimators.table import Table
from tests.routers import outcomes


@pytest.fixture(scope="session")
def word_embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture(scope="session")
def specialists(word_embedder: WordEmbedder) -> Table:
    """Routes that are each good at one topic."""
    return outcomes.table(outcomes.synthetic(60), word_embedder)


@pytest.fixture(scope="session")
def noise(word_embedder: WordEmbedder) -> Table:
    """Routes that differ in nothing that a question could tell."""
    return outcomes.table(outcomes.synthetic(40, skills=outcomes.flat()), word_embedder)


@pytest.fixture(scope="session")
def descriptions(word_embedder: WordEmbedder, specialists: Table) -> dict[str, Array]:
    return asyncio.run(embed_parts(word_embedder, specialists.routes))
