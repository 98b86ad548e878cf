"""A leased model over a scripted engine and a real Redis."""

import asyncio
from contextlib import aclosing

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.processes import free_port
from tests.waiting import eventually
from workers.decode_lease import DecodeLease
from workers.engines.errors import EngineUnavailable
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Finish, Sampling, Token
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message
from workers.models.engine_chat import EngineChat
from workers.models.leased import Leased
from workers.models.protocol import ChatRequest, ModelCard, complete

REQUEST = ChatRequest((Message(role="user", content="hi"),), Sampling(max_tokens=50), "0" * 32)


def chat(server: ScriptedServer, name: str) -> tuple[LlamaCppEngine, EngineChat]:
    engine = LlamaCppEngine(name, server.url)
    return engine, EngineChat(ModelCard(name, 0.5, 4096), engine)


async def test_holds_the_lease_only_while_it_generates(redis: Redis, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("hello", delay=0.01))
    lease = DecodeLease(redis)
    engine, inner = chat(scripted, "small")
    stream = Leased(inner, lease, "small", 1).generate(REQUEST)
    async with aclosing(stream):
        assert isinstance(await anext(stream), Token)
        assert await redis.hvals("{tandem:decode}:holding") == [b"small"]
        async for event in stream:
            if isinstance(event, Finish):
                assert await redis.hlen("{tandem:decode}:holding") == 0, "given back before the finish is shown"
    await engine.aclose()


async def test_closing_early_gives_the_lease_back_and_aborts(redis: Redis, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("and so on ", delay=0.01, endless=True))
    engine, inner = chat(scripted, "small")
    stream = Leased(inner, DecodeLease(redis), "small", 1).generate(REQUEST)
    async with aclosing(stream):
        await anext(stream)
    assert await redis.hlen("{tandem:decode}:about") == 0
    await eventually(lambda: scripted.stats.aborted == 1)
    await engine.aclose()


async def test_two_models_take_turns_and_say_that_they_wait(redis: Redis, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("hello", delay=0.01))
    lease = DecodeLease(redis)
    places: list[int] = []
    waits = asyncio.Event()

    def tell(place: int) -> None:
        places.append(place)
        waits.set()

    engine, small = chat(scripted, "small")
    other, large = chat(scripted, "large")
    first = Leased(small, lease, "small", 1).generate(REQUEST)
    async with aclosing(first):
        await anext(first)
        second = asyncio.create_task(complete(Leased(large, lease, "large", 1, tell), REQUEST))
        async with asyncio.timeout(20):
            await waits.wait()
        assert scripted.stats.requests == 1, "the second has not asked its engine for anything"
        async for _ in first:
            pass
    assert (await second).text == "hello"
    assert places == [1]
    await engine.aclose()
    await other.aclose()


async def test_without_redis_it_says_so(scripted: ScriptedServer) -> None:
    away = Redis(port=free_port(), retry=Retry(NoBackoff(), 1))
    engine, inner = chat(scripted, "small")
    with pytest.raises(EngineUnavailable, match="Redis"):
        await complete(Leased(inner, DecodeLease(away), "small", 1), REQUEST)
    await engine.aclose()
    await away.aclose()


async def test_an_engine_that_is_away_is_told_and_the_lease_is_free_again(redis: Redis) -> None:
    engine = LlamaCppEngine("small", f"http://127.0.0.1:{free_port()}")
    inner = EngineChat(ModelCard("small", 0.5, 4096), engine)
    with pytest.raises(EngineUnavailable, match="small"):
        await complete(Leased(inner, DecodeLease(redis), "small", 1), REQUEST)
    assert await redis.hlen("{tandem:decode}:about") == 0
    await engine.aclose()
