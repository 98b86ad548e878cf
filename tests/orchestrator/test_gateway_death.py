"""A gateway is killed in the middle of a run: the next one finishes it, or says clearly why it cannot."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from redis.asyncio import Redis

from orchestrator.compose import open_tandem
from orchestrator.event_log import read_all
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from tests.orchestrator.conftest import events_of, last_of
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

_ROOT = Path(__file__).parents[2]
Requests = Callable[..., RunRequest]


async def _start_and_kill(settings: Settings, request: RunRequest, redis: Redis, seen: str) -> str:
    """Start ``request`` in a process of its own, kill that when an event of type ``seen`` is in the log."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.orchestrator.killable_gateway",
        settings.model_dump_json(),
        request.model_dump_json(),
        stdout=subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        assert process.stdout is not None
        run = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        async with asyncio.timeout(30):
            while not any(event.type == seen for event in await read_all(redis, run)):
                await asyncio.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    return run


async def test_a_run_whose_gateway_was_killed_is_finished_by_the_next_one(
    settings: Settings, scripted: ScriptedServer, redis: Redis, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(default=say("thinking " * 50 + "\\boxed{12}", delay=0.05))
    run = await _start_and_kill(settings, request_for("What is 3 * 4?", model="cot"), redis, "reasoning.delta")
    scripted.script = Script(default=say("It is \\boxed{12}."))
    async with asyncio.timeout(40), open_tandem(settings) as tandem:
        events = await events_of(tandem, run, owner)
        record = await tandem.runs.get(run, owner)
    assert [e.type for e in events].count("run.resumed") == 1
    assert [e.type for e in events].count("routed") == 1, "nodes before the checkpoint are not run again"
    assert (last_of(events).status, last_of(events).value) == ("answered", "12")
    assert record.status == "answered"


async def test_an_answer_that_was_being_read_ends_with_a_clear_error(
    settings: Settings, scripted: ScriptedServer, redis: Redis, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(default=say("word " * 200, delay=0.05))
    run = await _start_and_kill(settings, request_for("Tell me a story."), redis, "content.delta")
    async with asyncio.timeout(40), open_tandem(settings) as tandem:
        last = last_of(await events_of(tandem, run, owner))
    assert (last.status, last.error_type) == ("error", "gateway_stopped")
    assert last.error is not None and "send the request again" in last.error
