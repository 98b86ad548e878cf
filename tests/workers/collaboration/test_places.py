"""Answers that wait for their turn, and those for which there is no place."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.collaborate_worker import collaborate_worker
from tests.waiting import eventually_async, within_a_second
from tests.workers.collaboration.through_worker import TEXT, Engines, everything, remote, request, text_of
from workers.collaboration.protocol import CollaborationBusy, Waiting, Written


@pytest.mark.usefixtures("worker")
async def test_an_answer_that_has_to_wait_for_the_processor_says_so(client: Redis, engines: Engines) -> None:
    engines.play("on and ", delay=0.01, endless=True)
    collaboration = remote(client, engines, exclusive=True)
    async with aclosing(collaboration.write(request(policy="small"))) as first:
        await anext(first)
        async with aclosing(collaboration.write(request(policy="large"))) as second:
            assert await anext(second) == Waiting(waits_for="large", place=1)
        async for event in first:
            assert isinstance(event, Written), "who decodes does not wait"
            if event.position > 30:
                break


async def test_answers_that_wait_for_a_worker_that_is_free_say_so(
    redis_url: str, engines: Engines, tmp_path: Path
) -> None:
    own = Redis.from_url(url := f"{redis_url[:-1]}10", socket_timeout=None)
    engines.play("on and ", delay=0.01, endless=True)
    collaboration = remote(own, engines, patience=30)
    with collaborate_worker(url, tmp_path / "log", concurrency=1):
        async with (
            aclosing(collaboration.write(request(policy="small"))) as first,
            aclosing(collaboration.write(request(policy="large"))) as second,
            aclosing(collaboration.write(request(policy="large"))) as third,
            asyncio.timeout(60),
        ):
            await anext(first)
            assert await anext(second) == Waiting(waits_for="small+large", place=1)
            assert await anext(third) == Waiting(waits_for="small+large", place=2)
            await first.aclose()
            assert isinstance(await anext(second), Written)
            assert await anext(third) == Waiting(waits_for="small+large", place=1)
    await own.aclose()


@pytest.mark.usefixtures("worker")
async def test_closing_it_ends_its_wait_for_the_processor(client: Redis, engines: Engines) -> None:
    engines.play("on and ", delay=0.01, endless=True)
    for server in (engines.small, engines.large):
        server.script = server.script.model_copy(update={"slots": 1})
    collaboration = remote(client, engines, exclusive=True, slots=1)
    async with aclosing(collaboration.write(request(policy="small"))) as first:
        await anext(first)
        waiting = asyncio.create_task(everything(collaboration, request(policy="small")))
        await eventually_async(lambda: _lease_waits(client))
        async with within_a_second():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await eventually_async(lambda: _nobody_waits(client))


async def _lease_waits(client: Redis) -> bool:
    return bool(await client.zcard("{tandem:decode}:waiting"))


async def _nobody_waits(client: Redis) -> bool:
    return not await _lease_waits(client)


@pytest.mark.usefixtures("worker")
async def test_a_full_queue_refuses_before_anything_is_sent(client: Redis, engines: Engines) -> None:
    engines.play("on and ", delay=0.01, endless=True)
    collaboration = remote(client, engines, limit=1)
    async with aclosing(collaboration.write(request())) as first:
        await anext(first)
        with pytest.raises(CollaborationBusy, match="`queue` under") as refusal:
            await everything(collaboration, request())
        assert refusal.value.retry_after > 0
    engines.play()
    assert text_of(await everything(collaboration, request())) == TEXT
