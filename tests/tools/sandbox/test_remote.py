"""Programs through a real Celery worker and back."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests import processes
from tools.sandbox.protocol import Limits
from tools.sandbox.remote import CelerySandbox
from workers.celery_app import create_app


@pytest.fixture(scope="module")
def worker(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "workers.celery_app",
        "worker",
        "--queues",
        "sandbox",
        "--loglevel",
        "INFO",
    ]
    log = tmp_path_factory.mktemp("worker") / "log"

    def ready() -> bool:
        return log.exists() and "ready." in log.read_text()

    with processes.running([*command, "--concurrency", "1"], ready, log, environment={"REDIS_URL": redis_url}):
        yield


@pytest.mark.usefixtures("worker")
async def test_a_program_runs_in_the_worker(redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    execution = await CelerySandbox(create_app(redis_url), client).run("print(6 * 7)")
    await client.aclose()
    assert (execution.outcome, execution.stdout) == ("exited", "42\n")


@pytest.mark.usefixtures("worker")
async def test_its_limits_travel_with_it(redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    limits = Limits(wall_seconds=0.5)
    execution = await CelerySandbox(create_app(redis_url), client).run("import time; time.sleep(30)", limits)
    await client.aclose()
    assert execution.outcome == "timeout"


async def test_without_a_worker_it_says_so_and_the_program_is_not_run_later(redis: Redis, tmp_path: Path) -> None:
    url = "redis://{host}:{port}/5".format(**redis.connection_pool.connection_kwargs)
    client = Redis.from_url(url)
    execution = await CelerySandbox(create_app(url), client, patience=0.1).run("print(1)", Limits(wall_seconds=0.1))
    await client.flushdb()
    await client.aclose()
    assert execution.outcome == "refused"
    assert "no sandbox worker" in execution.stderr
