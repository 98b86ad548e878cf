"""Requests that an engine or provider declines for what is in them: a 400 with its words, which no client repeats."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.orchestrator.conftest import settings_for
from tests.web.conftest import served
from web.gateway import create_app
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

Open = Callable[..., AbstractAsyncContextManager[openai.AsyncOpenAI]]
CONTEXT = 8192
PROVIDER = {
    "TANDEM__MODELS__LARGE__ENGINE__KIND": "litellm",
    "TANDEM__MODELS__LARGE__ENGINE__PROVIDER_MODEL": "openai/any",
}


@pytest.fixture
def open_api(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> Open:
    """OpenAI's client, with the retries it has by default, of a gateway with these variables."""
    scripted.script = Script(replies=(say("", match="decline this", failure="refuse"),), context=CONTEXT)

    @asynccontextmanager
    async def opened(**environment: str) -> AsyncIterator[openai.AsyncOpenAI]:
        app = create_app(settings_for(tmp_path, redis_url, scripted.url, **environment))
        async with served(app) as url, openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as api:
            yield api

    return opened


def said(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def tool(description: str) -> Any:
    return {"type": "function", "function": {"name": "look", "description": description, "parameters": {}}}


def called_with(arguments: str) -> list[Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": arguments}}
    return [
        *said("Look."),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "seen"},
    ]


async def refusal(api: openai.AsyncOpenAI, model: str, text: str, stream: bool) -> openai.APIError:
    """What the client raises: at once, or where a line of the stream says so because the status line was out."""
    with pytest.raises(openai.APIError) as refused:
        answer = await api.chat.completions.create(model=model, messages=said(text), stream=stream)
        if isinstance(answer, openai.AsyncStream):
            async for _ in answer:
                pass
    assert not isinstance(refused.value, openai.InternalServerError)
    return refused.value


@pytest.mark.parametrize(
    "body",
    [
        {"messages": said("Look."), "tools": [tool("word " * 500) for _ in range(4)]},
        {"messages": called_with('{"text": "' + "word " * 2000 + '"}')},
    ],
    ids=["tools", "tool calls"],
)
async def test_tools_that_fill_the_context_are_refused_before_anything_is_sent(
    open_api: Open, scripted: ScriptedServer, body: dict[str, Any]
) -> None:
    async with open_api() as api:
        with pytest.raises(openai.BadRequestError, match=f"with its tools .* holds {CONTEXT}") as refused:
            await api.chat.completions.create(model="auto", **body)
    assert refused.value.code == "context_length_exceeded"
    assert scripted.stats.requests == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_what_a_strategy_adds_makes_a_conversation_too_long(
    open_api: Open, scripted: ScriptedServer, stream: bool
) -> None:
    nearly = "What is 2 + 2? " + "x" * (CONTEXT - 100)
    async with open_api() as api:
        refused = await refusal(api, "cot", nearly, stream)
    assert refused.code == "context_length_exceeded"
    assert "shorten the conversation" in refused.message


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("x" * CONTEXT, "context_length_exceeded", "exceeds the available context size .* shorten"),
        ("Please decline this.", "unsupported_value", "the script refuses this prompt.*; change what it names"),
    ],
    ids=["too long", "declined"],
)
async def test_a_providers_refusal_is_told_once_with_its_words(
    open_api: Open, scripted: ScriptedServer, text: str, code: str, words: str, stream: bool
) -> None:
    async with open_api(TANDEM__MODELS__LARGE__ENGINE__URL=f"{scripted.url}/v1", **PROVIDER) as api:
        refused = await refusal(api, "large", text, stream)
    assert (refused.code, refused.type) == (code, "invalid_request_error")
    assert re.search(words, refused.message)
    assert scripted.stats.failed == 1, "the client has not sent it again"


async def test_a_provider_that_is_set_up_wrongly_is_not_the_requests_fault(
    open_api: Open, scripted: ScriptedServer
) -> None:
    async with open_api(TANDEM__MODELS__LARGE__ENGINE__URL=f"{scripted.url}/nowhere", **PROVIDER) as api:
        with pytest.raises(openai.InternalServerError) as failed:
            await api.with_options(max_retries=0).chat.completions.create(model="large", messages=said("Hello"))
    assert (failed.value.status_code, failed.value.code) == (502, "engine_error")
