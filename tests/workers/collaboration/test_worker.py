"""What becomes of an answer whose worker dies, stops or never was there."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.collaborate_worker import collaborate_worker
from tests.waiting import eventually
from tests.workers.collaboration.through_worker import TEXT, Engines, check_whole, everything, remote, request, text_of
from workers.collaboration.faults import NoCollaborationWorker
from workers.collaboration.job import record_key
from workers.collaboration.protocol import CollaborationEvent


async def test_after_the_death_of_its_worker_another_goes_on_with_the_answer(
    redis_url: str, engines: Engines, tmp_path: Path
) -> None:
    url = f"{redis_url[:-1]}11"
    own = Redis.from_url(url, socket_timeout=None)
    engines.play(delay=0.01)
    with (
        collaborate_worker(url, tmp_path / "first", concurrency=1) as first,
        collaborate_worker(url, tmp_path / "second", concurrency=1) as second,
    ):
        asked = request()
        events: list[CollaborationEvent] = []
        killed = False
        async for event in remote(own, engines, patience=30).write(asked):
            events.append(event)
            if len(events) == 60 and not killed:
                holder = first if "received" in (tmp_path / "first").read_text() else second
                os.kill(holder, signal.SIGKILL)
                killed = True
    await own.aclose()
    finish = check_whole(events)
    assert text_of(events) == TEXT
    assert finish.reason == "stop"
    # What the dead worker used is in the sum, but for the tokens it had not written down.
    assert finish.usage["small"].completion + finish.usage["large"].completion >= len(TEXT)
    both = ((tmp_path / "first").read_text(), (tmp_path / "second").read_text())
    assert all("received" in log for log in both)


async def test_without_any_worker_it_ends_with_what_to_do(redis_url: str, engines: Engines) -> None:
    own = Redis.from_url(f"{redis_url[:-1]}12", socket_timeout=None)
    engines.play()
    asked = request()
    with pytest.raises(NoCollaborationWorker, match="start one with `tandem serve`"):
        await everything(remote(own, engines, patience=0.5), asked)
    assert not await own.exists(record_key(asked.job))
    await own.aclose()


async def test_the_only_worker_dies_and_the_reader_is_told(redis_url: str, engines: Engines, tmp_path: Path) -> None:
    own = Redis.from_url(url := f"{redis_url[:-1]}13", socket_timeout=None)
    # Longer than a busy machine may take to notice the first tokens.
    engines.play(TEXT * 8, delay=0.05)
    with collaborate_worker(url, tmp_path / "log", concurrency=1) as pid:
        events: list[CollaborationEvent] = []
        with pytest.raises(NoCollaborationWorker):
            async for event in remote(own, engines, patience=1).write(request()):
                events.append(event)
                if len(events) == 5:
                    os.kill(pid, signal.SIGKILL)
    assert events
    await own.aclose()


async def test_a_worker_that_stops_hands_its_answers_on(redis_url: str, engines: Engines, tmp_path: Path) -> None:
    own = Redis.from_url(url := f"{redis_url[:-1]}14", socket_timeout=None)
    engines.play(delay=0.01)
    with (
        collaborate_worker(url, tmp_path / "second", concurrency=2),
        collaborate_worker(url, tmp_path / "first", concurrency=2) as first,
    ):
        both = asyncio.gather(*(everything(remote(own, engines, patience=30), request()) for _ in range(3)))
        await eventually(lambda: engines.tokens > 40)
        os.kill(first, signal.SIGTERM)
        for events in await both:
            check_whole(events)
            assert text_of(events) == TEXT
    await own.aclose()
