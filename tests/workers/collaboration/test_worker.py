"""Collaborative answers through a real Celery worker and back, over scripted engines."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from redis.asyncio import Redis

from tests.collaborate_worker import collaborate_worker
from tests.waiting import eventually, eventually_async, within_a_second
from workers.celery_app import create_app
from workers.collaboration.faults import NoCollaborationWorker
from workers.collaboration.job import LINE, record_key
from workers.collaboration.protocol import (
    CollaborationBusy,
    CollaborationEvent,
    CollaborationFinish,
    CollaborationRequest,
    Handover,
    UnknownPolicy,
    Waiting,
    Written,
)
from workers.collaboration.remote import CeleryCollaboration
from workers.divergence.features import SCALARS
from workers.divergence.trained_head import HeadCard, TokenTable, TrainedHead
from workers.engines.address import EngineAddress
from workers.engines.errors import EngineRefused, EngineUnavailable
from workers.engines.protocol import Sampling
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

TEXT = " ".join(str(number) for number in range(100, 160))
# The small model is sure of twenty tokens, then in doubt for twenty, and so on; the large one is always sure.
DOUBTS = (-0.01,) * 20 + (-1.0,) * 20
DIGESTS = {"small": "5" * 64, "large": "1" * 64}


@dataclass
class Pair:
    small: ScriptedServer
    large: ScriptedServer

    def play(self, text: str = TEXT, **fields: Any) -> None:
        self.small.script = Script(default=Reply(texts=(text,), continues=True, logprobs=DOUBTS, **fields))
        self.large.script = Script(default=Reply(texts=(text,), continues=True, logprobs=(-0.01,), **fields))

    def addresses(self, **fields: Any) -> dict[str, EngineAddress]:
        return {
            name: EngineAddress(
                name=name, kind="llamacpp", url=server.url, sha256=DIGESTS[name], **{"slots": 8, **fields}
            )
            for name, server in (("small", self.small), ("large", self.large))
        }

    @property
    def tokens(self) -> int:
        return self.small.stats.tokens + self.large.stats.tokens

    @property
    def running(self) -> int:
        return self.small.stats.running + self.large.stats.running


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ScriptedServer(Script()) as small, ScriptedServer(Script()) as large:
        yield Pair(small, large)


@pytest.fixture(scope="module")
def worker(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with collaborate_worker(redis_url, tmp_path_factory.mktemp("worker") / "log") as pid:
        yield pid


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url, socket_timeout=None)
    yield client
    await client.delete("tandem:collaborate:places")
    await client.aclose()


def remote(
    client: Redis, pair: Pair, *, limit: int = 32, patience: float = 10, head: str = "", **how: Any
) -> CeleryCollaboration:
    url = "redis://{host}:{port}/{db}".format(**{"db": 0, **client.connection_pool.connection_kwargs})
    engines = pair.addresses(**how)
    return CeleryCollaboration(create_app(url), client, engines, limit=limit, patience=patience, head=head)


def request(question: str = "Count.", policy: str = "entropy", **fields: Any) -> CollaborationRequest:
    messages = (Message(role="user", content=question),)
    return CollaborationRequest(
        job=uuid.uuid4().hex,
        policy=policy,
        small="small",
        large="large",
        messages=messages,
        sampling=Sampling(max_tokens=4000),
        **fields,
    )


async def everything(collaboration: CeleryCollaboration, asked: CollaborationRequest) -> list[CollaborationEvent]:
    return [event async for event in collaboration.write(asked)]


def text_of(events: list[CollaborationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Written))


def check_whole(events: list[CollaborationEvent]) -> CollaborationFinish:
    """Every position once, and a finish."""
    positions = [event.position for event in events if isinstance(event, Written)]
    assert positions == list(range(len(positions)))
    finish = events[-1]
    assert isinstance(finish, CollaborationFinish)
    return finish


@pytest.mark.usefixtures("worker")
async def test_an_answer_says_who_wrote_what_and_what_both_engines_counted(client: Redis, pair: Pair) -> None:
    pair.play(delay=0.005)
    events = await everything(remote(client, pair), request())
    finish = check_whole(events)
    assert text_of(events) == TEXT
    writers = {event.model for event in events if isinstance(event, Written)}
    assert writers == {"small", "large"}
    handovers = [event for event in events if isinstance(event, Handover)]
    assert [event.model for event in handovers[:2]] == ["large", "small"]
    first = next(event for event in events if isinstance(event, Written) and event.model == "large")
    assert first.position == handovers[0].position
    for server, name in ((pair.small, "small"), (pair.large, "large")):
        # An engine may send a few tokens more than a client that hangs up has read.
        assert 0 <= server.stats.tokens - finish.usage[name].completion <= 5 * finish.calls[name]
    assert (finish.calls["small"], finish.calls["large"]) == (pair.small.stats.requests, pair.large.stats.requests)


@pytest.mark.usefixtures("worker")
async def test_engines_that_share_a_processor_take_turns(client: Redis, pair: Pair) -> None:
    pair.play(delay=0.002)
    collaboration = remote(client, pair, exclusive=True)
    answers = asyncio.gather(*(everything(collaboration, request()) for _ in range(3)))
    both = 0
    while not answers.done():
        both += pair.small.stats.running > 0 and pair.large.stats.running > 0
        await asyncio.sleep(0.001)
    assert [text_of(events) for events in await answers] == [TEXT] * 3
    # An engine notices a moment later than the lease that its client has hung up.
    assert both < 20


@dataclass
class Eight:
    """Eight answers with a text of their own each, and how far they had got when the first one ended."""

    pair: Pair
    texts: tuple[str, ...] = tuple(" ".join(f"{name}{number}" for number in range(40)) for name in "abcdefgh")

    def play(self, slots: int = 8) -> None:
        replies = tuple(
            Reply(match=f"Count {text[0]}\\b", texts=(text,), continues=True, logprobs=DOUBTS, delay=0.002)
            for text in self.texts
        )
        self.pair.small.script = Script(replies=replies, slots=slots)
        self.pair.large.script = Script(replies=replies, slots=slots)

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
async def test_eight_answers_at_once_on_one_worker_do_not_mix(client: Redis, pair: Pair) -> None:
    eight = Eight(pair)
    eight.play()
    at_first_end = await eight.written(remote(client, pair))
    assert min(at_first_end) > 0, "fair progress: all eight are on their way before the first has come to its end"


@pytest.mark.usefixtures("worker")
async def test_of_eight_answers_that_share_a_processor_none_starves(client: Redis, pair: Pair) -> None:
    eight = Eight(pair)
    # As in the profile for one machine: four at once of one engine, and never both engines.
    eight.play(slots=4)
    at_first_end = await eight.written(remote(client, pair, exclusive=True, slots=4))
    assert min(at_first_end) > max(at_first_end) / 4, f"somebody was left behind: {at_first_end}"


@pytest.mark.usefixtures("worker")
async def test_what_is_kept_of_eight_answers_is_bounded_and_goes_with_them(client: Redis, pair: Pair) -> None:
    pair.play("on and ", delay=0.01, endless=True)
    collaboration = remote(client, pair)
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


async def test_after_the_death_of_its_worker_another_goes_on_with_the_answer(
    redis_url: str, client: Redis, pair: Pair, tmp_path: Path
) -> None:
    url = f"{redis_url[:-1]}11"
    own = Redis.from_url(url, socket_timeout=None)
    pair.play(delay=0.01)
    with (
        collaborate_worker(url, tmp_path / "first", concurrency=1) as first,
        collaborate_worker(url, tmp_path / "second", concurrency=1) as second,
    ):
        asked = request()
        events: list[CollaborationEvent] = []
        killed = False
        async for event in remote(own, pair, patience=30).write(asked):
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


async def test_without_any_worker_it_ends_with_what_to_do(redis_url: str, pair: Pair) -> None:
    own = Redis.from_url(f"{redis_url[:-1]}12", socket_timeout=None)
    pair.play()
    asked = request()
    with pytest.raises(NoCollaborationWorker, match="start one with `tandem serve`"):
        await everything(remote(own, pair, patience=0.5), asked)
    assert not await own.exists(record_key(asked.job))
    await own.aclose()


async def test_the_only_worker_dies_and_the_reader_is_told(redis_url: str, pair: Pair, tmp_path: Path) -> None:
    own = Redis.from_url(url := f"{redis_url[:-1]}13", socket_timeout=None)
    # Longer than a busy machine may take to notice the first tokens.
    pair.play(TEXT * 8, delay=0.05)
    with collaborate_worker(url, tmp_path / "log", concurrency=1) as pid:
        events: list[CollaborationEvent] = []
        with pytest.raises(NoCollaborationWorker):
            async for event in remote(own, pair, patience=1).write(request()):
                events.append(event)
                if len(events) == 5:
                    os.kill(pid, signal.SIGKILL)
    assert events
    await own.aclose()


async def test_a_worker_that_stops_hands_its_answers_on(redis_url: str, pair: Pair, tmp_path: Path) -> None:
    own = Redis.from_url(url := f"{redis_url[:-1]}14", socket_timeout=None)
    pair.play(delay=0.01)
    with (
        collaborate_worker(url, tmp_path / "second", concurrency=2),
        collaborate_worker(url, tmp_path / "first", concurrency=2) as first,
    ):
        both = asyncio.gather(*(everything(remote(own, pair, patience=30), request()) for _ in range(3)))
        await eventually(lambda: pair.tokens > 40)
        os.kill(first, signal.SIGTERM)
        for events in await both:
            check_whole(events)
            assert text_of(events) == TEXT
    await own.aclose()


@pytest.mark.usefixtures("worker")
async def test_closing_it_stops_both_engines_within_a_second(client: Redis, pair: Pair) -> None:
    pair.play("on and ", delay=0.01, endless=True)
    collaboration = remote(client, pair)
    async with aclosing(collaboration.write(asked := request())) as events:
        async for event in events:
            if isinstance(event, Written) and event.position > 30:
                break
        async with within_a_second():
            await events.aclose()
            await eventually(lambda: pair.running == 0)
    assert not await client.exists(record_key(asked.job))
    assert sum(usage.completion for usage in asked.meter.usage.values()) >= 30


@pytest.mark.usefixtures("worker")
async def test_what_was_decoded_until_the_engines_stopped_is_counted(client: Redis, pair: Pair) -> None:
    pair.play("on and ", delay=0.004, endless=True)
    async with aclosing(remote(client, pair).write(asked := request(policy="small"))) as events:
        async for event in events:
            if isinstance(event, Written) and event.position > 30:
                break
        read = asked.meter.usage["small"].completion
    counted = asked.meter.usage["small"].completion
    await eventually(lambda: pair.running == 0)
    assert counted > read, "the engine decodes until its client has hung up"
    # What it sent at the very end may have found nobody any more.
    assert 0 <= pair.small.stats.tokens - counted <= 5


@pytest.mark.usefixtures("worker")
async def test_an_answer_that_has_to_wait_for_the_processor_says_so(client: Redis, pair: Pair) -> None:
    pair.play("on and ", delay=0.01, endless=True)
    collaboration = remote(client, pair, exclusive=True)
    async with aclosing(collaboration.write(request(policy="small"))) as first:
        await anext(first)
        async with aclosing(collaboration.write(request(policy="large"))) as second:
            assert await anext(second) == Waiting(waits_for="large", place=1)
        async for event in first:
            assert isinstance(event, Written), "who decodes does not wait"
            if event.position > 30:
                break


async def test_answers_that_wait_for_a_worker_that_is_free_say_so(redis_url: str, pair: Pair, tmp_path: Path) -> None:
    own = Redis.from_url(url := f"{redis_url[:-1]}10", socket_timeout=None)
    pair.play("on and ", delay=0.01, endless=True)
    collaboration = remote(own, pair, patience=30)
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
async def test_closing_it_ends_its_wait_for_the_processor(client: Redis, pair: Pair) -> None:
    pair.play("on and ", delay=0.01, endless=True)
    for server in (pair.small, pair.large):
        server.script = server.script.model_copy(update={"slots": 1})
    collaboration = remote(client, pair, exclusive=True, slots=1)
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
async def test_a_full_queue_refuses_before_anything_is_sent(client: Redis, pair: Pair) -> None:
    pair.play("on and ", delay=0.01, endless=True)
    collaboration = remote(client, pair, limit=1)
    async with aclosing(collaboration.write(request())) as first:
        await anext(first)
        with pytest.raises(CollaborationBusy, match="`queue` under") as refusal:
            await everything(collaboration, request())
        assert refusal.value.retry_after > 0
    pair.play()
    assert text_of(await everything(collaboration, request())) == TEXT


@pytest.mark.usefixtures("worker")
async def test_faults_of_the_worker_reach_the_reader_as_what_they_are(client: Redis, pair: Pair) -> None:
    pair.play()
    with pytest.raises(UnknownPolicy, match="nonsense"):
        await everything(remote(client, pair), request(policy="nonsense"))
    with pytest.raises(UnknownPolicy, match="treshold"):
        await everything(remote(client, pair), request(options={"treshold": 1.0}))
    pair.large.script = Script(default=Reply(texts=(TEXT,), failure="unavailable"))
    with pytest.raises(EngineUnavailable, match="large"):
        await everything(remote(client, pair), request(policy="large"))


def head_that_finds_every_token_divergent(small: str, large: str, path: Path) -> Path:
    """Its network has a bias and nothing else."""
    seen = SCALARS + 1
    weights = {
        "mean": np.zeros(seen),
        "deviation": np.ones(seen),
        "enter.weight": np.zeros((2, seen)),
        "enter.bias": np.zeros(2),
        "norm.weight": np.zeros(2),
        "norm.bias": np.zeros(2),
        "leave.weight": np.zeros((1, 2)),
        "leave.bias": np.full(1, 9.0),
    }
    card = HeadCard(small=small, large=large, threshold=0.5, blocks=0, seed=0, labels=0)
    table = TokenTable(np.zeros((300, 1), dtype=np.int8), np.ones(1, dtype=np.float32))
    TrainedHead(card, {name: array.astype(np.float32) for name, array in weights.items()}, table).save(path)
    return path


@pytest.mark.usefixtures("worker")
async def test_the_configured_head_judges_in_the_worker(client: Redis, pair: Pair, tmp_path: Path) -> None:
    pair.play(TEXT[:40])
    head = head_that_finds_every_token_divergent(DIGESTS["small"], DIGESTS["large"], tmp_path / "head.npz")
    writers = []
    for collaboration in (remote(client, pair), remote(client, pair, head=str(head))):
        events = await everything(collaboration, request(policy="divergence"))
        check_whole(events)
        writers.append({event.model for event in events if isinstance(event, Written)})
    # By entropy the small model writes where it is sure; this head leaves it nothing.
    assert writers == [{"small", "large"}, {"large"}]


@pytest.mark.usefixtures("worker")
async def test_a_head_of_the_same_pair_the_other_way_round_is_refused(
    client: Redis, pair: Pair, tmp_path: Path
) -> None:
    pair.play()
    head = head_that_finds_every_token_divergent(DIGESTS["large"], DIGESTS["small"], tmp_path / "head.npz")
    with pytest.raises(EngineRefused, match=f"trained for the models with sha256 {DIGESTS['large']}"):
        await everything(remote(client, pair, head=str(head)), request(policy="divergence"))
    assert pair.tokens == 0
