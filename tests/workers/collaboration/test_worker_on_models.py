"""Collaborative answers through real Celery workers, on real models."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.collaborate_worker import collaborate_worker
from tests.truncated import truncated_smollm
from tests.workers.collaboration.writing import Outcome, llamacpp_server, request
from workers.celery_app import create_app
from workers.collaboration.job import BEAT_SECONDS, lease_key
from workers.collaboration.protocol import CollaborationRequest
from workers.collaboration.remote import CeleryCollaboration
from workers.engines.address import EngineAddress, open_engine

QUESTION = "Why is the sky blue? Explain it in several sentences."


@pytest.fixture
async def own(redis_url: str) -> AsyncIterator[tuple[str, Redis]]:
    """A database that no other test's workers serve."""
    url = f"{redis_url[:-1]}9"
    async with Redis.from_url(url, socket_timeout=None) as client:
        yield url, client


def remote(url: str, client: Redis, *addresses: EngineAddress) -> CeleryCollaboration:
    engines = {address.name: address for address in addresses}
    return CeleryCollaboration(create_app(url), client, engines, limit=4, patience=60)


async def check_whole(outcome: Outcome, wanted: CollaborationRequest, large: EngineAddress) -> None:
    """Every token once and in order, its text what its model's tokenizer makes of the ids, all of it charged."""
    assert [token.position for token in outcome.written] == list(range(len(outcome.written)))
    assert set(outcome.owners) == {"s", "l"}
    engine = open_engine(large)
    assert await engine.detokenize(outcome.ids) == outcome.text
    await engine.aclose()
    assert outcome.finish is not None
    assert outcome.finish.reason == "stop" or len(outcome.written) == wanted.sampling.max_tokens
    for name in "sl":
        assert outcome.finish.usage[name].completion >= outcome.owners.count(name)


async def test_llamacpp_engines_go_on_after_the_death_of_their_worker(
    own: tuple[str, Redis], smollm_file: Path, tmp_path: Path
) -> None:
    url, client = own
    wanted = request("leader", text=QUESTION, max_tokens=96, lead=6)
    outcome = Outcome()
    with ExitStack() as stack:
        small, large = (
            EngineAddress(name=name, kind="llamacpp", url=llamacpp_server(stack, file, tmp_path, 2), slots=2)
            for name, file in (("s", truncated_smollm()), ("l", smollm_file))
        )
        logs = [tmp_path / name for name in ("first", "second")]
        workers = [stack.enter_context(collaborate_worker(url, log, concurrency=1)) for log in logs]
        killed = False
        async for event in remote(url, client, small, large).write(wanted):
            outcome.add(event)
            if len(outcome.written) >= 20 and not killed:
                holder = next(pid for pid, log in zip(workers, logs, strict=True) if "received" in log.read_text())
                os.kill(holder, signal.SIGKILL)
                killed = True
        assert killed
        assert all("received" in log.read_text() for log in logs), "the other worker wrote the rest"
        await check_whole(outcome, wanted, large)


async def test_a_torch_engine_writes_in_the_worker_whose_heartbeats_go_on(
    own: tuple[str, Redis], llamacpp_url: str, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the torch engine needs the extra `worker`")
    url, client = own
    small = EngineAddress(name="s", kind="torch", source=str(truncated_smollm()), context=512, threads=1)
    large = EngineAddress(name="l", kind="llamacpp", url=llamacpp_url, slots=2)
    wanted = request("entropy", text=QUESTION, max_tokens=24, threshold=0.8, stay=4)
    outcome, lease = Outcome(), Lease()
    with collaborate_worker(url, tmp_path / "log", concurrency=1):
        watching = asyncio.create_task(lease.watch(client, wanted.job))
        async for event in remote(url, client, small, large).write(wanted):
            outcome.add(event)
        watching.cancel()
    await check_whole(outcome, wanted, large)
    assert all(token.entropy is not None for token in outcome.written if token.model == "s")
    # Loading takes longer than a beat, and is in the time that the lease was held.
    assert lease.renewals >= lease.seconds / BEAT_SECONDS / 2 > 1


@dataclass
class Lease:
    """What was seen of the lease of an answer: for how long it was held, and how often it was given more time."""

    seconds: float = 0.0
    renewals: int = 0

    async def watch(self, client: Redis, job: str) -> None:
        began, left = None, 0
        while True:
            now = int(await client.pttl(lease_key(job)))
            if now > 0:
                began = began or time.monotonic()
                self.seconds = time.monotonic() - began
                self.renewals += now > left
            left = now
            await asyncio.sleep(0.02)
