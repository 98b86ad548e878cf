"""Fixtures of the collaboration tests."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from tests.collaborate_worker import collaborate_worker
from tests.workers.collaboration.through_worker import Engines
from tests.workers.collaboration.writing import Pair, scripted_pair
from workers.engines.scripted.script import Script
from workers.engines.scripted.server import ScriptedServer


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Two scripted engines and the loop over them."""
    async with scripted_pair() as pair:
        yield pair


@pytest.fixture
def engines() -> Iterator[Engines]:
    with ScriptedServer(Script()) as small, ScriptedServer(Script()) as large:
        yield Engines(small, large)


@pytest.fixture(scope="session")
def served_redis(redis_url: str) -> str:
    """A database of the session's Redis of which ``worker`` alone takes its work."""
    return f"{redis_url[:-1]}4"


@pytest.fixture(scope="session")
def worker(served_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with collaborate_worker(served_redis, tmp_path_factory.mktemp("worker") / "log") as pid:
        yield pid


@pytest.fixture
async def client(served_redis: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(served_redis, socket_timeout=None)
    yield client
    await client.delete("tandem:collaborate:places")
    await client.aclose()
