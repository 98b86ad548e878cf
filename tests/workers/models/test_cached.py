"""The benchmarks' generation cache over a scripted engine, whose counters say whether it was asked."""

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from workers.engines.protocol import Sampling
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message
from workers.models.cached import Cached, GenerationCache
from workers.models.engine_chat import EngineChat
from workers.models.protocol import ChatRequest, Meter, complete

REQUEST = ChatRequest((Message(role="user", content="hi"),), Sampling(max_tokens=50), "0" * 32, top_logprobs=2)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[GenerationCache]:
    cache = GenerationCache(tmp_path / "deep" / "cache.sqlite")
    yield cache
    cache.close()


@pytest.fixture(autouse=True)
def different_every_time(scripted: ScriptedServer) -> None:
    scripted.script = Script(default=Reply(texts=("first", "second", "third", "fourth")))


async def test_a_request_is_generated_once_and_comes_back_whole(
    chat: EngineChat, cache: GenerationCache, scripted: ScriptedServer
) -> None:
    model = Cached(chat, cache, "build")
    first = await complete(model, REQUEST)
    again = await complete(model, replace(REQUEST, call="1" * 32))
    assert again == first, "text, ids, log-probabilities with their alternatives, reason and usage"
    assert again.tokens[0].top
    assert scripted.stats.requests == 1


async def test_a_stored_answer_tells_how_long_it_took_when_it_was_made(
    chat: EngineChat, cache: GenerationCache, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=Reply(texts=("first",), prompt_delay=0.02))
    made, again = Meter(), Meter()
    await complete(Cached(chat, cache, "build"), replace(REQUEST, meter=made))
    await complete(Cached(chat, cache, "build"), replace(REQUEST, meter=again))
    assert again.seconds == made.seconds >= 0.02


async def test_a_stored_answer_that_is_cut_costs_its_prompt_and_its_share_of_the_seconds(
    chat: EngineChat, cache: GenerationCache
) -> None:
    whole, cut = Meter(), Meter()
    tokens = (await complete(Cached(chat, cache, "build"), replace(REQUEST, meter=whole))).tokens
    async with aclosing(Cached(chat, cache, "build").generate(replace(REQUEST, meter=cut))) as stream:
        await anext(stream)
    assert cut.prompt == whole.prompt > 0
    assert cut.seconds == pytest.approx(whole.seconds / len(tokens))


async def test_what_is_not_kept_tells_how_long_it_takes(
    chat: EngineChat, cache: GenerationCache, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=Reply(prompt_delay=0.02))
    draw = replace(REQUEST, sampling=replace(REQUEST.sampling, temperature=0.7), meter=Meter())
    await complete(Cached(chat, cache, "build"), draw)
    assert draw.meter.seconds >= 0.02


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, messages=(Message(role="user", content="ho"),)),
        replace(REQUEST, prefill="So"),
        replace(REQUEST, top_logprobs=0),
        replace(REQUEST, spelled=True),
        replace(REQUEST, sampling=replace(REQUEST.sampling, max_tokens=51)),
        replace(REQUEST, sampling=replace(REQUEST.sampling, temperature=0.7, seed=1)),
        replace(REQUEST, sampling=replace(REQUEST.sampling, stop=("x",))),
    ],
)
async def test_what_changes_the_answer_is_another_entry(
    chat: EngineChat, cache: GenerationCache, scripted: ScriptedServer, other: ChatRequest
) -> None:
    model = Cached(chat, cache, "build")
    await complete(model, REQUEST)
    await complete(model, other)
    assert scripted.stats.requests == 2


async def test_alternatives_come_back_as_they_were_spelled_where_that_was_asked_for(
    chat: EngineChat, cache: GenerationCache, scripted: ScriptedServer
) -> None:
    model = Cached(chat, cache, "build")
    for request, count in ((replace(REQUEST, spelled=True), 2), (REQUEST, 0)):
        first = await complete(model, request)
        again = await complete(model, request)
        assert [len(token.spellings) for token in again.tokens] == [count] * len(first.tokens)
    assert scripted.stats.requests == 2


async def test_another_build_is_another_entry(
    chat: EngineChat, cache: GenerationCache, scripted: ScriptedServer
) -> None:
    await complete(Cached(chat, cache, "two threads"), REQUEST)
    await complete(Cached(chat, cache, "one thread"), REQUEST)
    assert scripted.stats.requests == 2


async def test_draws_without_a_seed_stay_different(chat: EngineChat, cache: GenerationCache) -> None:
    model = Cached(chat, cache, "build")
    draw = replace(REQUEST, sampling=replace(REQUEST.sampling, temperature=0.7))
    assert [(await complete(model, draw)).text for _ in range(3)] == ["first", "second", "third"]


async def test_an_answer_that_was_not_read_to_its_end_is_not_kept(
    chat: EngineChat, cache: GenerationCache, scripted: ScriptedServer
) -> None:
    model = Cached(chat, cache, "build")
    stream = model.generate(REQUEST)
    async with aclosing(stream):
        await anext(stream)
    assert (await complete(model, REQUEST)).text == "second"
    assert scripted.stats.requests == 2
