"""A real Chromium over a real gateway; behind it two scripted engines where a test has to know the words."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
from playwright.async_api import Browser, async_playwright

from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings
from tests.collaborate_worker import collaborate_worker
from tests.web.conftest import served
from tests.web.ui.chat_page import ChatPage
from web.gateway import create_app
from web.logs import configure_process_logs
from web.static import BUILT
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer

ELSEWHERE = "tandem.test"
"""A name that the browser takes for another machine's, and that is this one."""

FLAGS = (
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Stage:
    """A gateway at ``url``; ``small`` and ``large`` are its scripted engines."""

    url: str
    settings: Settings
    small: ScriptedServer
    large: ScriptedServer

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.settings.storage.directory / 'tandem.db'}"

    def play(self, *replies: Reply) -> None:
        """Let both engines answer so; the last reply is to everything else."""
        script = Script(replies=replies[:-1], default=replies[-1])
        self.small.script = script
        self.large.script = script

    @property
    def running(self) -> int:
        return self.small.stats.running + self.large.stats.running

    def api(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=60, headers=headers)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed here; `make browser` installs Debian's")
    if not (BUILT / "index.html").exists():
        pytest.skip("the chat page is not built; `make ui` builds it")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        await started.close()


@pytest.fixture(scope="session")
def own_redis(redis_url: str) -> Callable[[int], str]:
    """Databases of the session's Redis that no other test empties, by number."""
    return lambda number: f"{redis_url.rpartition('/')[0]}/{number}"


@pytest.fixture(scope="session")
def plain_logs() -> Iterator[None]:
    """As a serving process writes them: the usual tracebacks with every local variable take seconds on the loop."""
    configure_process_logs()
    yield
    structlog.reset_defaults()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(
    own_redis: Callable[[int], str], plain_logs: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    with ExitStack() as stack:
        small, large = (stack.enter_context(ScriptedServer(Script())) for _ in range(2))
        settings = settings_for(tmp_path_factory.mktemp("stage"), own_redis(5), small.url, large.url)
        async with served(create_app(settings)) as url:
            yield Stage(url, settings, small, large)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def real(
    own_redis: Callable[[int], str], plain_logs: None, llamacpp_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """The address of a gateway whose two models are both a real one on llama.cpp."""
    settings = settings_for(tmp_path_factory.mktemp("real"), own_redis(6), llamacpp_url, llamacpp_url)
    async with served(create_app(settings)) as url:
        yield url


@pytest.fixture(scope="session")
def worker(own_redis: Callable[[int], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with collaborate_worker(own_redis(5), tmp_path_factory.mktemp("collaborate") / "log") as pid:
        yield pid


@pytest_asyncio.fixture(loop_scope="session")
async def chat(browser: Browser, stage: Stage) -> AsyncIterator[ChatPage]:
    """The chat page, wide enough for its trace. What it must never do is checked when the test is over."""
    async with opened(browser, stage.url) as page:
        yield page


def opened(browser: Browser, url: str, **options: Any) -> Any:
    """The chat page at ``url`` in a browser context of its own, watched until it closes."""
    return ChatPage.opened(browser, url, **{"viewport": {"width": 1400, "height": 900}, **options})


def settings_for(folder: Path, redis: str, small: str, large: str) -> Settings:
    engines = {"SMALL": small, "LARGE": large}
    models = {f"TANDEM__MODELS__{name}__ENGINE__URL": url for name, url in engines.items()}
    free = {f"TANDEM__MODELS__{name}__ENGINE__EXCLUSIVE": "false" for name in engines}
    long = {f"TANDEM__MODELS__{name}__ENGINE__CONTEXT": "65536" for name in engines}
    return load_settings(
        environment={"TANDEM__STORAGE__DIRECTORY": str(folder), "REDIS_URL": redis, **models, **free, **long}
    )
