"""The exact answer cache: the real gateway and controller over a scripted engine and the real Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from orchestrator.storage.database import Database
from tests.orchestrator.conftest import settings_for
from tests.waiting import eventually_async
from tests.web.conftest import ask, served
from web.gateway import create_app
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

Open = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
BOXED = Script(default=say("Three fours make \\boxed{12}."))


@pytest.fixture
def cached(tmp_path: Path, redis_url: str, redis: Redis, scripted: ScriptedServer) -> Open:
    """Open a gateway with the answer cache on; several opened in one test share Redis and the database."""

    @asynccontextmanager
    async def opened(**environment: str) -> AsyncIterator[httpx.AsyncClient]:
        environment = {"TANDEM__ANSWER_CACHE__ENABLED": "true", **environment}
        app = create_app(settings_for(tmp_path, redis_url, scripted.url, **environment))
        async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
            yield client

    return opened


async def answer(client: httpx.AsyncClient, question: str, **more: Any) -> httpx.Response:
    response = await client.post("/v1/chat/completions", json=ask(question, **more))
    assert response.status_code == 200, response.text
    return response


def text(response: httpx.Response) -> str:
    return str(response.json()["choices"][0]["message"]["content"])


async def test_the_same_request_again_is_answered_without_a_model_and_says_so(
    cached: Open, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with cached() as client:
        first = await answer(client, "Tell me a story.")
        written = scripted.stats.tokens
        second = await answer(client, "Tell me a story.")
        events = (await client.get(f"/v1/runs/{second.headers['x-tandem-run-id']}/events")).text
        figures = (await client.get("/v1/dashboard")).json()["cache"]
    assert text(first) == text(second) == "Once upon a time."
    assert "x-tandem-cache" not in first.headers
    assert second.headers["x-tandem-cache"] == "hit"
    assert second.headers["x-tandem-route"] == first.headers["x-tandem-route"]
    assert second.json()["tandem"]["recalled"] == first.headers["x-tandem-run-id"]
    assert second.json()["usage"]["total_tokens"] == 0
    assert scripted.stats.tokens == written
    assert "event: answer.recalled" in events
    assert figures == {"answers_kept": 1, "hits": 1, "misses": 1, "tokens_saved": written}


async def test_a_recalled_answer_streams_like_any_other(cached: Open, scripted: ScriptedServer) -> None:
    scripted.script = BOXED
    async with cached() as client:
        whole = await answer(client, "What is 3 * 4?", model="cot")
        streamed = await answer(client, "What is 3 * 4?", model="cot", stream=True)
    assert text(whole) == "12"
    assert streamed.headers["x-tandem-cache"] == "hit"
    assert '"content":"12"' in streamed.text
    assert streamed.text.endswith("data: [DONE]\n\n")


async def test_with_a_conversation_its_answers_are_forgotten(cached: Open, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with cached() as client:

        async def kept() -> int:
            return int((await client.get("/v1/dashboard")).json()["cache"]["answers_kept"])

        conversation = (await client.post("/v1/conversations", json={})).json()["id"]
        question = {"parent": None, "content": "Tell me a story."}
        await client.post(f"/v1/conversations/{conversation}/turns", json=question)

        async def one_is_kept() -> bool:
            return await kept() == 1

        await eventually_async(one_is_kept)
        await answer(client, "Tell me another story.")
        assert await kept() == 2
        assert (await client.delete(f"/v1/conversations/{conversation}")).status_code in (200, 204)
        assert await kept() == 1


async def test_another_key_gets_nothing_of_it(cached: Open, scripted: ScriptedServer, tmp_path: Path) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with Database.open(f"sqlite:///{tmp_path / 'tandem.db'}") as database:
        ada, eve = [(await database.create_key(name)).plain for name in ("ada", "eve")]
    async with cached() as client:
        seen = []
        for key in (ada, eve, ada):
            client.headers["authorization"] = f"Bearer {key}"
            seen.append("x-tandem-cache" in (await answer(client, "Tell me a story.")).headers)
    assert seen == [False, False, True]


CHANGES: tuple[dict[str, Any], ...] = (
    {"temperature": 0.5},
    {"seed": 7},
    {"model": "small"},
    {"reasoning_effort": "high"},
    {"max_completion_tokens": 500},
    {"stop": ["time"]},
    {"response_format": {"type": "json_object"}},
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Tell me a story."}]},
    {"tandem": {"thread_id": "mine"}},
    {"tandem": {"budget": {"calls": 3}}},
    {"tandem": {"fresh": True}},
)


async def test_any_difference_in_the_request_is_another_request(cached: Open, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with cached() as client:
        await answer(client, "Tell me a story.")
        for change in CHANGES:
            again = await answer(client, "Tell me a story.", **change)
            assert "x-tandem-cache" not in again.headers, change
        assert "x-tandem-cache" in (await answer(client, "Tell me a story.")).headers


async def test_what_the_answer_rests_on_beside_the_request_counts_too(
    cached: Open, scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with cached() as client:
        await answer(client, "Tell me a story.")
    async with cached(TANDEM__GATEWAY__RUNS_PER_MINUTE="90") as client:
        assert "x-tandem-cache" in (await answer(client, "Tell me a story.")).headers
    async with cached(TANDEM__MODELS__LARGE__SHA256="0" * 64) as client:
        assert "x-tandem-cache" not in (await answer(client, "Tell me a story.")).headers


async def test_what_is_no_whole_checked_answer_is_not_kept(cached: Open, scripted: ScriptedServer) -> None:
    endless = Script(default=say("and on ", endless=True))
    sum_of = ask("What is 3 * 4?")["messages"]
    cases: tuple[tuple[Script, dict[str, Any]], ...] = (
        (Script(default=say("No idea at all.")), {"model": "cot", "messages": sum_of}),
        (endless, {"tandem": {"budget": {"tokens": 8}}}),
        (endless, {"max_completion_tokens": 8}),
        (Script(default=say("Mild.")), {"tools": [WEATHER]}),
    )
    async with cached() as client:
        for script, fields in cases:
            scripted.script = script
            for _ in range(2):
                assert "x-tandem-cache" not in (await answer(client, "Tell me a story.", **fields)).headers, fields


async def test_a_failed_run_is_tried_again(cached: Open, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("half of it", failure="disconnect", failure_after=3))
    async with cached() as client:
        assert (await client.post("/v1/chat/completions", json=ask("Tell me a story."))).status_code >= 500
        scripted.script = Script(default=say("All of it."))
        assert text(await answer(client, "Tell me a story.")) == "All of it."


async def test_another_answer_in_the_chat_is_a_new_one_and_the_next_question_gets_that(
    cached: Open, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with cached() as client:
        await answer(client, "Tell me a story.")
        written = scripted.stats.tokens
        conversation = (await client.post("/v1/conversations", json={})).json()["id"]
        turns = f"/v1/conversations/{conversation}/turns"
        asked = (await client.post(turns, json={"content": "Tell me a story."})).json()
        events = f"/v1/runs/{asked['assistant']['run']}/events"
        assert "event: answer.recalled" in (await client.get(events)).text
        assert scripted.stats.tokens == written
        again = (await client.post(f"{turns}/{asked['user']['id']}/answers", json={})).json()
        assert "event: answer.recalled" not in (await client.get(f"/v1/runs/{again['assistant']['run']}/events")).text
        assert scripted.stats.tokens == 2 * written


async def test_several_choices_are_several_answers(cached: Open, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with cached() as client:
        await answer(client, "Tell me a story.")
        written = scripted.stats.tokens
        await answer(client, "Tell me a story.", n=2)
    assert scripted.stats.tokens == 3 * written


async def test_answers_are_kept_for_a_bounded_time_and_in_bounded_number(
    cached: Open, scripted: ScriptedServer, redis: Redis
) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    limits = {"TANDEM__ANSWER_CACHE__ENTRIES": "2", "TANDEM__ANSWER_CACHE__TTL": "60"}
    async with cached(**limits) as client:
        for question in ("Tell me a story.", "Tell me another story.", "Tell me a third story."):
            await answer(client, question)
            await asyncio.sleep(0.01)
        figures = (await client.get("/v1/dashboard")).json()["cache"]
        assert figures["answers_kept"] == 2
        assert "x-tandem-cache" in (await answer(client, "Tell me a third story.")).headers
        assert "x-tandem-cache" not in (await answer(client, "Tell me a story.")).headers
    kept = [key async for key in redis.scan_iter("tandem:answers:*") if b":counts:" not in key]
    assert len(kept) == 3, "two answers and their index"
    assert all([0 < await redis.ttl(key) <= 60 for key in kept])


async def test_what_another_version_stored_is_answered_anew(
    cached: Open, scripted: ScriptedServer, redis: Redis
) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with cached() as client:
        await answer(client, "Tell me a story.")
        for key in [key async for key in redis.scan_iter("tandem:answers:*", _type="string")]:
            await redis.set(key, '{"text": "in the shape of before"}')
        assert "x-tandem-cache" not in (await answer(client, "Tell me a story.")).headers
        assert "x-tandem-cache" in (await answer(client, "Tell me a story.")).headers


async def test_a_long_answer_is_not_kept(cached: Open, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("word " * 400))
    async with cached(TANDEM__ANSWER_CACHE__ENTRY_BYTES="1500") as client:
        await answer(client, "Tell me a story.")
        assert "x-tandem-cache" not in (await answer(client, "Tell me a story.")).headers


async def test_it_is_off_unless_it_is_turned_on(cached: Open, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("Once upon a time."))
    async with cached(TANDEM__ANSWER_CACHE__ENABLED="false") as client:
        await answer(client, "Tell me a story.")
        assert "x-tandem-cache" not in (await answer(client, "Tell me a story.")).headers
        assert (await client.get("/v1/dashboard")).json()["cache"] is None
