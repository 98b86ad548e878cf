"""Several answers that one worker writes at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from celery import Celery
from redis.asyncio import Redis

from tests.collaborate_worker import collaborate_worker
from tests.worker_census import Census, take_census
from tests.workers.collaboration.through_worker import (
    DOUBTS,
    TEXT,
    Engines,
    check_whole,
    everything,
    remote,
    request,
    text_of,
)
from workers.celery_app import create_app
from workers.collaboration.job import LINE, Job
from workers.collaboration.page import Page
from workers.collaboration.protocol import CollaborationEvent, Written
from workers.collaboration.remote import CeleryCollaboration
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.scripted.script import Reply, Script


@pytest.mark.usefixtures("worker")
async def test_engines_that_share_a_processor_take_turns(client: Redis, engines: Engines) -> None:
    engines.play(delay=0.002)
    collaboration = remote(client, engines, exclusive=True)
    answers = asyncio.gather(*(everything(collaboration, request()) for _ in range(3)))
    both = 0
    while not answers.done():
        both += engines.small.stats.running > 0 and engines.large.stats.running > 0
        await asyncio.sleep(0.001)
    assert [text_of(events) for events in await answers] == [TEXT] * 3
    # An engine notices a moment later than the lease that its client has hung up.
    assert both < 20


@dataclass
class Eight:
    """Eight answers with a text of their own each, and how far they had got when the first one ended."""

    engines: Engines
    texts: tuple[str, ...] = tuple(" ".join(f"{name}{number}" for number in range(40)) for name in "abcdefgh")

    def play(self, slots: int = 8) -> None:
        replies = tuple(
            Reply(match=f"Count {text[0]}\\b", texts=(text,), continues=True, logprobs=DOUBTS, delay=0.002)
            for text in self.texts
        )
        self.engines.small.script = Script(replies=replies, slots=slots)
        self.engines.large.script = Script(replies=replies, slots=slots)

    async def written(self, collaboration: CeleryCollaboration) -> list[int]:
        """Write all of them at once; the tokens that each had at the end of the first. Raises where one is not its
        own text from beginning to end."""
        progress = [0] * len(self.texts)
        at_first_end: list[int] = []

        async def one(index: int) -> str:
            events: list[CollaborationEvent] = []
            async for event in collaboration.write(request(f"Count {self.texts[index][0]} please")):
                events.append(event)
                progress[index] += isinstance(event, Written)
            at_first_end.extend([] if at_first_end else progress)
            check_whole(events)
            return text_of(events)

        assert tuple(await asyncio.gather(*map(one, range(len(self.texts))))) == self.texts
        return at_first_end


@pytest.mark.usefixtures("worker")
async def test_eight_answers_at_once_on_one_worker_do_not_mix(client: Redis, engines: Engines) -> None:
    eight = Eight(engines)
    eight.play()
    at_first_end = await eight.written(remote(client, engines))
    assert min(at_first_end) > 0, "fair progress: all eight are on their way before the first has come to its end"


@pytest.mark.usefixtures("worker")
async def test_of_eight_answers_that_share_a_processor_none_starves(client: Redis, engines: Engines) -> None:
    eight = Eight(engines)
    # As in the profile for one machine: four at once of one engine, and never both engines.
    eight.play(slots=4)
    at_first_end = await eight.written(remote(client, engines, exclusive=True, slots=4))
    assert min(at_first_end) > max(at_first_end) / 4, f"somebody was left behind: {at_first_end}"


@asynccontextmanager
async def eight_begun(collaboration: CeleryCollaboration, engines: Engines) -> AsyncIterator[list[bytes]]:
    """Eight answers are being written while the block runs; yields their ids."""
    engines.play("on and ", delay=0.01, endless=True)
    asked = [request(policy="small") for _ in range(8)]
    async with AsyncExitStack() as answers:
        events = [await answers.enter_async_context(aclosing(collaboration.write(one))) for one in asked]
        await asyncio.gather(*map(anext, events))
        yield [one.job.encode() for one in asked]


@pytest.mark.usefixtures("worker")
async def test_what_is_kept_of_eight_answers_is_bounded_and_goes_with_them(client: Redis, engines: Engines) -> None:
    async with eight_begun(remote(client, engines), engines) as jobs:
        kept = [key async for key in client.scan_iter("tandem:collaborate:*")]
        assert [key for key in kept if await client.ttl(key) == -1] == [], "what nobody renews expires by itself"
        assert all(0 < sum(job in key for key in kept) <= 3 for job in jobs), "record, lease and stream"
    left = [key async for key in client.scan_iter("tandem:collaborate:*")]
    assert [key for key in left if any(job in key for job in jobs)] == []
    assert not set(jobs) & {*await client.lrange(LINE, 0, -1), *await client.zrange("tandem:collaborate:places", 0, -1)}


@dataclass(frozen=True)
class Held:
    """What a worker holds that has nothing to write."""

    census: Census
    resident_pages: int
    keys: int


def resident_pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


async def held(app: Celery, client: Redis, pid: int) -> Held:
    """As soon as it says the same twice: tasks of an event loop end a moment after what they have written."""
    before: Census | None = None
    async with asyncio.timeout(30):
        while (census := await asyncio.to_thread(take_census, app)).at_work or not census.same_objects(before):
            before = census
            await asyncio.sleep(0.1)
    return Held(census, resident_pages(pid), len([key async for key in client.scan_iter("tandem:collaborate:*")]))


async def test_a_worker_holds_no_more_after_many_answers_than_after_a_few(
    redis_url: str, engines: Engines, tmp_path: Path
) -> None:
    own = Redis.from_url(url := f"{redis_url[:-1]}8", socket_timeout=None)
    app, eight, rounds = create_app(url), Eight(engines), []
    with collaborate_worker(url, tmp_path / "log", include=["tests.worker_census"]) as pid:
        async with eight_begun(remote(own, engines), engines):
            at_work = (await asyncio.to_thread(take_census, app)).objects
        eight.play()
        for _ in range(6):
            await eight.written(remote(own, engines))
            rounds.append(await held(app, own, pid))
    await own.aclose()
    few, many = rounds[1], rounds[-1]
    assert at_work[f"{Job.__module__}.Job"] == at_work[f"{Page.__module__}.Page"] == 8
    assert many.census.objects == few.census.objects, "an answer that has ended leaves nothing behind"
    assert few.census.objects[f"{LlamaCppEngine.__module__}.LlamaCppEngine"] == 2, "one client for each engine"
    # Celery remembers the ids of the last thousand tasks, with eight blocks for each; timers come and go.
    assert many.census.blocks - few.census.blocks < 40 * len(eight.texts) * 4, "40 blocks an answer are a leak"
    assert many.resident_pages < 1.05 * few.resident_pages, "nor is there one that Python does not know of"
    assert many.keys == few.keys, "and Redis has not taken in what the worker let go"
