"""Fixtures of the collaboration tests."""

from collections.abc import AsyncIterator

import pytest

from tests.workers.collaboration.writing import Pair, scripted_pair


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Two scripted engines and the loop over them."""
    async with scripted_pair() as pair:
        yield pair
