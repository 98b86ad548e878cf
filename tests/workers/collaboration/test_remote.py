"""Answers from a worker as their reader sees them."""

from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from tests.waiting import eventually, within_a_second
from tests.workers.collaboration.through_worker import TEXT, Engines, check_whole, everything, remote, request, text_of
from workers.collaboration.job import record_key
from workers.collaboration.protocol import Handover, UnknownPolicy, Written
from workers.engines.errors import EngineUnavailable
from workers.engines.scripted.script import Reply, Script


@pytest.mark.usefixtures("worker")
async def test_an_answer_says_who_wrote_what_and_what_both_engines_counted(client: Redis, engines: Engines) -> None:
    engines.play(delay=0.005)
    events = await everything(remote(client, engines), request())
    finish = check_whole(events)
    assert text_of(events) == TEXT
    writers = {event.model for event in events if isinstance(event, Written)}
    assert writers == {"small", "large"}
    handovers = [event for event in events if isinstance(event, Handover)]
    assert [event.model for event in handovers[:2]] == ["large", "small"]
    first = next(event for event in events if isinstance(event, Written) and event.model == "large")
    assert first.position == handovers[0].position
    for server, name in ((engines.small, "small"), (engines.large, "large")):
        # An engine may send a few tokens more than a client that hangs up has read.
        assert 0 <= server.stats.tokens - finish.usage[name].completion <= 5 * finish.calls[name]
    assert (finish.calls["small"], finish.calls["large"]) == (
        engines.small.stats.requests,
        engines.large.stats.requests,
    )


@pytest.mark.usefixtures("worker")
async def test_closing_it_stops_both_engines_within_a_second(client: Redis, engines: Engines) -> None:
    engines.play("on and ", delay=0.01, endless=True)
    collaboration = remote(client, engines)
    async with aclosing(collaboration.write(asked := request())) as events:
        async for event in events:
            if isinstance(event, Written) and event.position > 30:
                break
        async with within_a_second():
            await events.aclose()
            await eventually(lambda: engines.running == 0)
    assert not await client.exists(record_key(asked.job))
    assert sum(usage.completion for usage in asked.meter.usage.values()) >= 30


@pytest.mark.usefixtures("worker")
async def test_what_was_decoded_until_the_engines_stopped_is_counted(client: Redis, engines: Engines) -> None:
    engines.play("on and ", delay=0.004, endless=True)
    async with aclosing(remote(client, engines).write(asked := request(policy="small"))) as events:
        async for event in events:
            if isinstance(event, Written) and event.position > 30:
                break
        read = asked.meter.usage["small"].completion
    counted = asked.meter.usage["small"].completion
    await eventually(lambda: engines.running == 0)
    assert counted > read, "the engine decodes until its client has hung up"
    # What it sent at the very end may have found nobody any more.
    assert 0 <= engines.small.stats.tokens - counted <= 5


@pytest.mark.usefixtures("worker")
async def test_faults_of_the_worker_reach_the_reader_as_what_they_are(client: Redis, engines: Engines) -> None:
    engines.play()
    with pytest.raises(UnknownPolicy, match="nonsense"):
        await everything(remote(client, engines), request(policy="nonsense"))
    with pytest.raises(UnknownPolicy, match="treshold"):
        await everything(remote(client, engines), request(options={"treshold": 1.0}))
    engines.large.script = Script(default=Reply(texts=(TEXT,), failure="unavailable"))
    with pytest.raises(EngineUnavailable, match="large"):
        await everything(remote(client, engines), request(policy="large"))
