"""The doors with the real controller behind them, over a scripted engine, real Redis and a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from orchestrator.storage.database import Database
from tests.orchestrator.conftest import settings_for
from tests.sandbox_worker import sandbox_worker
from tests.waiting import eventually, eventually_async, within_a_second
from tests.web.conftest import ask, served
from web.gateway import create_app
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer

STORY = "Once upon a time."
ENDLESS = Script(default=Reply(texts=("and on ",), delay=0.02, endless=True))


@pytest.fixture
async def client(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> AsyncIterator[httpx.AsyncClient]:
    scripted.script = Script(default=say(STORY))
    app = create_app(settings_for(tmp_path, redis_url, scripted.url))
    async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def test_an_openai_client_gets_the_engines_words_and_the_engines_count(
    client: httpx.AsyncClient, scripted: ScriptedServer
) -> None:
    messages: list[Any] = [{"role": "user", "content": "Tell me a story."}]
    async with openai.AsyncOpenAI(base_url=f"{client.base_url}/v1", api_key="none") as api:
        stream = await api.chat.completions.create(
            model="auto", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == STORY
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == scripted.stats.tokens


async def test_a_run_is_read_tailed_and_listed_after_its_end(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/chat/completions", json=ask("Tell me a story."))
    run = answer.headers["x-tandem-run-id"]
    assert answer.headers["x-tandem-route"] == "direct(large)"
    assert answer.json()["choices"][0]["message"]["content"] == STORY
    assert "event: run.finished" in (await client.get(f"/v1/runs/{run}/events")).text

    async def listed() -> bool:
        return [item["id"] for item in (await client.get("/v1/runs")).json()["data"]] == [run]

    await eventually_async(listed)
    body = (await client.get(f"/v1/runs/{run}")).json()
    assert (body["status"], body["text"], body["route"]) == ("answered", STORY, "direct(large)")


async def test_one_key_cannot_read_tail_cancel_or_list_another_keys_runs(
    client: httpx.AsyncClient, scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.script = ENDLESS
    async with Database.open(f"sqlite:///{tmp_path / 'tandem.db'}") as database:
        keys = [(await database.create_key(name)).plain for name in ("ada", "eve")]
    ada, eve = ({"authorization": f"Bearer {key}"} for key in keys)
    await asyncio.sleep(1.1)  # the gateway may take a second to notice the first key
    run = (await client.post("/v1/runs", json=ask("Tell me a story."), headers=ada)).json()["id"]
    await eventually(lambda: scripted.stats.tokens > 3)
    for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        assert (await client.request(method, f"/v1/runs/{run}{path}", headers=eve)).status_code == 404
    assert scripted.stats.running == 1
    assert (await client.post(f"/v1/runs/{run}/cancel", headers=ada)).status_code == 200
    await eventually(lambda: scripted.stats.running == 0)

    async def listed() -> bool:
        mine = (await client.get("/v1/runs", headers=ada)).json()["data"]
        return [(item["id"], item["status"]) for item in mine] == [(run, "cancelled")]

    await eventually_async(listed)
    assert (await client.get("/v1/runs", headers=eve)).json()["data"] == []
    assert (await client.get(f"/v1/runs/{run}", headers=eve)).status_code == 404


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_stops_the_engine_within_a_second(
    client: httpx.AsyncClient, scripted: ScriptedServer, stream: bool
) -> None:
    scripted.script = ENDLESS
    asking = asyncio.create_task(
        client.post("/v1/chat/completions", json=ask("Tell me a story.", stream=stream, max_tokens=100_000))
    )
    await eventually(lambda: scripted.stats.tokens > 3)
    async with within_a_second():
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await eventually(lambda: scripted.stats.running == 0 and scripted.stats.aborted == 1)


async def test_the_route_is_shown_without_a_call_to_the_engine(
    client: httpx.AsyncClient, scripted: ScriptedServer
) -> None:
    decided = await client.post("/v1/route", json=ask("What is 3 * 4?"))
    assert decided.status_code == 200
    assert decided.json()["name"]
    assert decided.json()["reason"]
    assert scripted.stats.tokens == 0


async def test_unknown_models_and_prompts_too_long_are_refused(client: httpx.AsyncClient) -> None:
    unknown = await client.post("/v1/chat/completions", json=ask("hi", model="gpt-9"))
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    long = await client.post("/v1/chat/completions", json=ask("word " * 180_000))
    assert long.status_code == 400, long.text
    assert (await client.post("/v1/chat/completions", json=ask("hi"))).status_code == 200


@pytest.mark.parametrize(
    "model", ["auto", "large", "direct", "cot", "plan", "refine", "critique", "plan-tools", "tools"]
)
async def test_a_thread_without_a_question_is_answered(
    client: httpx.AsyncClient, scripted: ScriptedServer, model: str
) -> None:
    body = {"model": model, "messages": [{"role": "system", "content": "You tell stories of hens."}]}
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == STORY
    assert all("stories of hens" in prompt for prompt in scripted.stats.prompts)


async def test_readiness_names_each_part(client: httpx.AsyncClient) -> None:
    parts = (await client.get("/readyz")).json()["parts"]
    assert parts["redis"] == "ok"


async def test_a_schema_that_the_engine_would_ignore_is_refused(client: httpx.AsyncClient) -> None:
    schema = {"type": "object", "properties": {"a": {"not": {"type": "string"}}}}
    body = ask("Tell me a story.") | {
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    }
    answer = await client.post("/v1/chat/completions", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, "response_format", "invalid_json_schema")
    assert "not" in error["message"]


async def test_a_checked_answer_ends_at_the_callers_bound(client: httpx.AsyncClient, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("So the answer is \\boxed{1234567}."))
    body = ask("What is 1234560 + 7?", model="cot") | {"max_completion_tokens": 3}
    choice = (await client.post("/v1/chat/completions", json=body)).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("123", "length")


async def test_a_budget_that_ends_before_a_second_opinion_is_told_whatever_the_answer_looks_like(
    client: httpx.AsyncClient, scripted: ScriptedServer, redis_url: str, tmp_path: Path
) -> None:
    doubtful = Reply(match="Python program", texts=("```python\nprint(5 * 10 - 2)\n```",), logprobs=(-3.0,))
    scripted.script = Script(replies=(doubtful,), default=say("I would rather not."))
    body = ask(
        "Ann has 5 boxes of 10 apples and gives 2 away. How many apples are left?", tandem={"budget": {"calls": 1}}
    )
    with sandbox_worker(redis_url, tmp_path / "sandbox"):
        answer = (await client.post("/v1/chat/completions", json=body)).json()
        streamed = (await client.post("/v1/chat/completions", json=body | {"stream": True})).text
    [choice] = answer["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("48", "length")
    assert (answer["tandem"]["status"], answer["tandem"]["ledger"]["spent"]) == ("budget", "calls")
    assert '"finish_reason":"length"' in streamed and '"finish_reason":"stop"' not in streamed
