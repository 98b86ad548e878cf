"""What becomes of a run that its gateway left, and of one whose gateway was only thought gone."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from agents.events import ReasoningDelta
from orchestrator.compose import Tandem, open_tandem
from orchestrator.event_log import log_key, run_key
from orchestrator.lease import ACTIVE, lease_key
from orchestrator.runs import RunRequest, finished
from orchestrator.settings import Settings
from tests.orchestrator.conftest import events_of, last_of
from tests.waiting import eventually_async
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

Requests = Callable[..., RunRequest]
Left = Callable[[], Awaitable[str]]
SLOW = Script(default=say("thinking " * 50 + "\\boxed{12}", delay=0.05))
QUICK = Script(default=say("It is \\boxed{12}."))


async def begin(tandem: Tandem, request: RunRequest) -> str:
    """Start a run and wait until it is stored and being worked on."""
    run = await tandem.runs.start(request)
    async for _, event in tandem.runs.events(run, request.owner):
        if isinstance(event, ReasoningDelta):
            break

    async def stored() -> bool:
        return [record.id for record in await tandem.database.unfinished_runs()] == [run]

    await eventually_async(stored)
    return run


@pytest.fixture
def left(settings: Settings, scripted: ScriptedServer, redis: Redis, request_for: Requests) -> Left:
    """Leave a run in the middle of its work, with a checkpoint and nobody who holds it."""

    async def leave() -> str:
        scripted.script = SLOW
        async with open_tandem(settings) as tandem:
            run = await begin(tandem, request_for("What is 3 * 4?", model="cot"))
        assert not await redis.exists(lease_key(run)), "a gateway that stops gives its runs back"
        scripted.script = QUICK
        return run

    return leave


async def nobody_works_on(redis: Redis, run: str) -> None:
    async def ended() -> bool:
        return not await redis.sismember(ACTIVE, run)

    await eventually_async(ended, 20)


async def spoil_request(redis: Redis, run: str, _folder: Path) -> None:
    await redis.hset(run_key(run), "request", '{"of": "another version"}')


async def spoil_events(redis: Redis, run: str, _folder: Path) -> None:
    await redis.xadd(log_key(run), {"e": '{"type": "of.another.version"}'})


async def spoil_checkpoint(_redis: Redis, _run: str, folder: Path) -> None:
    with sqlite3.connect(folder / "checkpoints.sqlite") as checkpoints:
        checkpoints.execute("UPDATE checkpoints SET checkpoint = X'C1'")


@pytest.mark.parametrize("spoil", [spoil_request, spoil_events, spoil_checkpoint])
async def test_a_run_that_cannot_be_read_any_more_ends_and_says_so(
    spoil: Callable[[Redis, str, Path], Awaitable[None]],
    left: Left,
    settings: Settings,
    redis: Redis,
    scripted: ScriptedServer,
    owner: str,
) -> None:
    run = await left()
    await spoil(redis, run, settings.storage.directory)
    asked = scripted.stats.requests
    async with open_tandem(settings) as tandem:
        await nobody_works_on(redis, run)
        record = await tandem.runs.get(run, owner)
    assert record.status == "error"
    assert record.error is not None and "cannot be read" in record.error and "send the request again" in record.error
    assert record.request.messages[-1].content == "What is 3 * 4?"
    assert scripted.stats.requests == asked


@pytest.mark.parametrize(("before", "status"), [(4, "answered"), (5, "error")])
async def test_a_run_is_taken_over_five_times_at_most(
    before: int, status: str, left: Left, settings: Settings, redis: Redis, scripted: ScriptedServer, owner: str
) -> None:
    run = await left()
    await redis.hincrby(run_key(run), "fence", before)
    asked = scripted.stats.requests
    async with open_tandem(settings) as tandem, asyncio.timeout(30):
        last = last_of(await events_of(tandem, run, owner))
    assert last.status == status
    if status == "error":
        assert last.error_type == "gateway_stopped"
        assert last.error is not None and "taken over 5 times" in last.error
        assert scripted.stats.requests == asked, "what ended the gateways before is not done again"


async def test_a_run_that_is_cancelled_while_nobody_holds_it_ends_as_cancelled(
    settings: Settings, left: Left, scripted: ScriptedServer, owner: str
) -> None:
    async with open_tandem(settings) as other:
        run = await left()
        asked = scripted.stats.requests
        await other.runs.cancel(run, owner)
        async with asyncio.timeout(30):
            last = await finished(other.runs.events(run, owner))
        assert last.status == "cancelled"
        assert scripted.stats.requests == asked
        assert (await other.runs.get(run, owner)).status == "cancelled"


async def test_a_run_that_ended_as_its_gateway_died_is_not_run_again(
    settings: Settings, left: Left, redis: Redis, scripted: ScriptedServer, owner: str
) -> None:
    run = await left()
    async with open_tandem(settings) as tandem:
        async with asyncio.timeout(30):
            first = await events_of(tandem, run, owner)
        await nobody_works_on(redis, run)
        asked = scripted.stats.requests
        await redis.sadd(ACTIVE, run)
        await nobody_works_on(redis, run)
        assert await events_of(tandem, run, owner) == first
        assert (await tandem.runs.get(run, owner)).status == "answered"
    assert scripted.stats.requests == asked


async def test_a_gateway_that_stalled_goes_on_with_its_run(
    settings: Settings, redis: Redis, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(default=say("thinking " * 14 + "\\boxed{12}", delay=0.05))
    async with open_tandem(settings) as tandem:
        run = await begin(tandem, request_for("What is 3 * 4?", model="cot"))
        for _ in range(160):  # longer than the pause between two looks for runs whose gateway is gone
            await redis.delete(lease_key(run))
            await asyncio.sleep(0.02)

        async def leased() -> bool:
            return bool(await redis.exists(lease_key(run)))

        await eventually_async(leased, 5)
        async with asyncio.timeout(30):
            events = await events_of(tandem, run, owner)
    assert not any(event.type == "run.resumed" for event in events)
    assert (last_of(events).status, last_of(events).value) == ("answered", "12")


async def test_a_run_of_a_gateway_that_stalled_can_be_cancelled(
    settings: Settings, redis: Redis, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(default=say("thinking ", endless=True, delay=0.02))
    async with open_tandem(settings) as tandem:
        run = await begin(tandem, request_for("What is 3 * 4?", model="cot"))
        for _ in range(160):
            await redis.delete(lease_key(run))
            await asyncio.sleep(0.02)
        await tandem.runs.cancel(run, owner)
        async with asyncio.timeout(10):
            assert (await finished(tandem.runs.events(run, owner))).status == "cancelled"
