"""Several answers that one worker writes at once."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

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
from workers.collaboration.job import LINE
from workers.collaboration.protocol import CollaborationEvent, Written
from workers.collaboration.remote import CeleryCollaboration
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


@pytest.mark.usefixtures("worker")
async def test_what_is_kept_of_eight_answers_is_bounded_and_goes_with_them(client: Redis, engines: Engines) -> None:
    engines.play("on and ", delay=0.01, endless=True)
    collaboration = remote(client, engines)
    asked = [request(policy="small") for _ in range(8)]
    jobs = [one.job.encode() for one in asked]
    async with AsyncExitStack() as answers:
        events = [await answers.enter_async_context(aclosing(collaboration.write(one))) for one in asked]
        await asyncio.gather(*map(anext, events))
        kept = [key async for key in client.scan_iter("tandem:collaborate:*")]
        assert [key for key in kept if await client.ttl(key) == -1] == [], "what nobody renews expires by itself"
        assert all(0 < sum(job in key for key in kept) <= 3 for job in jobs), "record, lease and stream"
    left = [key async for key in client.scan_iter("tandem:collaborate:*")]
    assert [key for key in left if any(job in key for job in jobs)] == []
    assert not set(jobs) & {*await client.lrange(LINE, 0, -1), *await client.zrange("tandem:collaborate:places", 0, -1)}
