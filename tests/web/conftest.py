"""A gateway in a real uvicorn server over real Redis and a real database; behind it, scripted runs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
import uvicorn
from redis.asyncio import Redis

from orchestrator.answer_cache import AnswerCache
from orchestrator.playbook.entries import Entries
from orchestrator.playbook.forgetting import Forgetting
from orchestrator.playbook.jobs import NoTeacher, Teacher
from orchestrator.playbook.protocol import Playbook
from orchestrator.settings import Settings
from orchestrator.storage.database import Database
from routers.embedding import WordEmbedder
from tests.waiting import eventually
from tests.web.scripted_runs import ScriptedRuns
from web.gateway import create_app
from web.logs import open_log


@dataclass
class ScriptedTandem:
    runs: ScriptedRuns
    settings: Settings
    database: Database
    redis: Redis
    playbook: Playbook | None = None
    answers: AnswerCache | None = None
    teacher: Teacher = field(default_factory=NoTeacher)
    forgetting: Forgetting | None = None


@dataclass
class Gateway:
    """``logs`` is what it has written so far."""

    url: str
    tandem: ScriptedTandem
    logs: StringIO

    @property
    def runs(self) -> ScriptedRuns:
        return self.tandem.runs

    def client(self, key: str | None = None, **options: Any) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30, **options)

    async def the_only_run(self) -> str:
        await eventually(lambda: bool(self.runs.runs))
        [run] = self.runs.runs
        return run


def settings_in(folder: Path, slack: Mapping[str, Any] = MappingProxyType({}), **gateway: Any) -> Settings:
    model = {"parameters": 0.5, "engine": {}}
    return Settings.model_validate(
        {
            "models": {"small": {**model, "role": "small"}, "large": {**model, "role": "large"}},
            "storage": {"directory": folder},
            "gateway": gateway,
            "slack": dict(slack),
        }
    )


def _playbook(redis: Redis) -> Playbook | None:
    return Entries(redis, WordEmbedder())


Start = Callable[..., AbstractAsyncContextManager[Gateway]]


@pytest.fixture
def start(tmp_path: Path, redis_url: str, redis: Redis) -> Start:
    """Start a gateway with settings of its own; two started in one test share the database and Redis."""

    @asynccontextmanager
    async def started(
        playbook: Callable[[Redis], Playbook | None] = _playbook, **gateway: Any
    ) -> AsyncIterator[Gateway]:
        opened: list[ScriptedTandem] = []

        @asynccontextmanager
        async def opener(settings: Settings) -> AsyncIterator[ScriptedTandem]:
            async with Database.open(f"sqlite:///{tmp_path / 'tandem.db'}") as database:
                redis = Redis.from_url(redis_url, max_connections=4096, socket_timeout=None)
                tandem = ScriptedTandem(ScriptedRuns(database), settings, database, redis, playbook(redis))
                opened.append(tandem)
                yield tandem
                for run in tandem.runs.runs.values():
                    if run.task is not None:
                        run.task.cancel()
                await redis.aclose()

        logs = StringIO()
        app = create_app(settings_in(tmp_path, **gateway), opener=opener, log=open_log(logs))
        async with served(app) as url:
            yield Gateway(url, opened[0], logs)

    return started


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    config = uvicorn.Config(
        app, port=0, http="httptools", log_level="error", proxy_headers=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:
            assert not serving.done(), "the server ended before it had started"
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.fixture
async def gateway(start: Start) -> AsyncIterator[Gateway]:
    async with start() as gateway:
        yield gateway


def ask(question: str, **more: Any) -> dict[str, Any]:
    """A chat completion request."""
    return {"model": "auto", "messages": [{"role": "user", "content": question}], **more}
