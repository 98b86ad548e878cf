"""Programs through a real Celery worker and back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.sandbox_worker import sandbox_worker
from tests.tools.sandbox.conftest import left_of, limited, nothing_left
from tests.waiting import eventually, eventually_async
from tools.sandbox.protocol import Execution, Limits
from tools.sandbox.remote import CelerySandbox
from workers.celery_app import create_app


@pytest.fixture(scope="module")
def worker(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with sandbox_worker(redis_url, tmp_path_factory.mktemp("worker") / "log"):
        yield


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


async def cancelled(task: asyncio.Task[Execution]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


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


@pytest.mark.usefixtures("worker")
async def test_a_program_that_nobody_waits_for_any_more_gives_its_place_back(redis_url: str, client: Redis) -> None:
    sandbox = CelerySandbox(create_app(redis_url), client, patience=10)
    limits = limited(wall_seconds=120.0)
    unwanted = asyncio.create_task(sandbox.run("import time; time.sleep(120)", limits))
    await eventually(lambda: bool(left_of(limits)))
    await cancelled(unwanted)
    # The one place of this worker: taken for two minutes, this one would be given up before its turn.
    assert (await sandbox.run("print(6 * 7)", Limits(wall_seconds=10.0))).stdout == "42\n"
    await nothing_left(limits)


@pytest.mark.usefixtures("worker")
async def test_a_program_that_is_cancelled_while_it_waits_is_never_run(redis_url: str, client: Redis) -> None:
    sandbox = CelerySandbox(create_app(redis_url), client)
    limits = limited()
    before = asyncio.create_task(sandbox.run("import time; time.sleep(3)", limits))
    await eventually(lambda: bool(left_of(limits)))
    waiting = asyncio.create_task(sandbox.run("print('run all the same')"))

    async def queued() -> bool:
        return bool(await client.llen("sandbox") or await client.hlen("unacked") > 1)

    await eventually_async(queued)
    await cancelled(waiting)
    assert (await before).ok
    # It comes after the cancelled one, whose result would lie there now, for nobody takes it.
    assert (await sandbox.run("print(6 * 7)")).stdout == "42\n"
    assert [key async for key in client.scan_iter("tandem:sandbox:*", _type="list")] == []
