"""Whether the gateway is ready, as its parts come and go while it serves."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.collaborate_worker import collaborate_worker
from tests.orchestrator.conftest import settings_for
from tests.sandbox_worker import sandbox_worker
from tests.waiting import eventually_async
from tests.web.conftest import served
from web.gateway import create_app
from workers.engines.scripted.script import Script
from workers.engines.scripted.server import ScriptedServer


class Asked:
    """A gateway, asked whether it is ready. Workers of other tests on the same Redis must not answer for its own."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def parts(self) -> dict[str, str]:
        answer = await self._client.get("/readyz")
        parts: dict[str, str] = answer.json()["parts"]
        assert (answer.status_code == 200) == all(state == "ok" for state in parts.values())
        return parts

    async def until(self, part: str, said: str) -> None:
        async def says() -> bool:
            return said in (await self.parts())[part]

        await eventually_async(says)


@pytest.fixture
def engine() -> ScriptedServer:
    return ScriptedServer(Script())


@pytest.fixture
async def asked(tmp_path: Path, redis_url: str, engine: ScriptedServer) -> AsyncIterator[Asked]:
    app = create_app(settings_for(tmp_path, redis_url, engine.url))
    async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield Asked(client)


async def test_an_engine_that_stops_after_it_has_answered_is_noticed(asked: Asked, engine: ScriptedServer) -> None:
    with engine:
        assert (await asked.parts())["engine large"] == "ok"
    await asked.until("engine large", "does not answer")


async def test_an_engine_that_comes_later_is_noticed_too(asked: Asked, engine: ScriptedServer) -> None:
    assert "4 seconds" in (await asked.parts())["engine small"], "its socket is open, but nobody serves it"
    with engine:
        await asked.until("engine small", "ok")


async def test_workers_that_come_and_go_are_noticed(
    asked: Asked, engine: ScriptedServer, redis_url: str, tmp_path: Path
) -> None:
    with engine:
        await asked.until("worker collaborate", "start one with")
        await asked.until("worker sandbox", "start one with")
        with collaborate_worker(redis_url, tmp_path / "collaborate"), sandbox_worker(redis_url, tmp_path / "sandbox"):
            await asked.until("worker collaborate", "ok")
            await asked.until("worker sandbox", "ok")
            assert set((await asked.parts()).values()) == {"ok"}
        await asked.until("worker collaborate", "start one with")
        await asked.until("worker sandbox", "start one with")
