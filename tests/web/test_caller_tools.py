"""The caller's own tools through the OpenAI client: the run stops with the calls and goes on with their results."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.orchestrator.conftest import settings_for
from tests.web.conftest import served
from web.gateway import create_app
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "strict": True,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
# A question that ``auto`` would otherwise take for a number to be computed.
QUESTION = "How many degrees is it in Oslo, if it was 3 degrees at 7 o'clock?"
FORECAST = Script(
    replies=(say("It is 12 degrees in Oslo.", match="12 C"),),
    default=Reply(texts=("",), tool_calls=(CALL,)),
)


@pytest.fixture
async def api(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> AsyncIterator[openai.AsyncOpenAI]:
    scripted.script = FORECAST
    app = create_app(settings_for(tmp_path, redis_url, scripted.url))
    async with served(app) as url, openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as api:
        yield api


def _after(call: dict[str, Any]) -> list[Any]:
    return [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "12 C"},
    ]


@pytest.mark.parametrize("model", ["auto", "cot", "program(small)", "large"])
async def test_the_run_stops_with_the_calls_and_goes_on_with_their_result(api: openai.AsyncOpenAI, model: str) -> None:
    first = await api.chat.completions.create(
        model=model, messages=[{"role": "user", "content": QUESTION}], tools=[WEATHER]
    )
    [choice] = first.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    [call] = choice.message.tool_calls
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Oslo"}')
    # Not every client repeats the tools with the results.
    for tools in ({"tools": [WEATHER]}, {}):
        second = await api.chat.completions.create(model=model, messages=_after(call.model_dump()), **tools)
        assert second.choices[0].finish_reason == "stop"
        assert second.choices[0].message.content == "It is 12 degrees in Oslo."


async def test_streamed_calls_are_put_together_by_the_client_and_the_answer_streams(api: openai.AsyncOpenAI) -> None:
    async with api.chat.completions.stream(
        model="auto", messages=[{"role": "user", "content": QUESTION}], tools=[WEATHER]
    ) as stream:
        async for _ in stream:
            pass
        whole = await stream.get_final_completion()
    [choice] = whole.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls is not None
    [call] = choice.message.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "weather", '{"city": "Oslo"}')
    answer = await api.chat.completions.create(model="auto", messages=_after(CALL), tools=[WEATHER], stream=True)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in answer if chunk.choices]
    assert len(pieces) > 2
    assert "".join(pieces) == "It is 12 degrees in Oslo."


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_that_the_model_writes_as_text_is_a_call(
    api: openai.AsyncOpenAI, scripted: ScriptedServer, stream: bool
) -> None:
    scripted.script = Script(default=say('```json\n{"name": "weather", "arguments": {"city": "Oslo"}}\n```'))
    asked: Any = {"model": "auto", "messages": [{"role": "user", "content": QUESTION}], "tools": [WEATHER]}
    if stream:
        chunks = [c async for c in await api.chat.completions.create(**asked, stream=True) if c.choices]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ""
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
    else:
        [choice] = (await api.chat.completions.create(**asked)).choices
        assert choice.finish_reason == "tool_calls"
        assert choice.message.tool_calls is not None
        assert choice.message.tool_calls[0].id


async def test_json_that_is_no_call_is_an_answer(api: openai.AsyncOpenAI, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say('{"city": "Oslo"}'))
    [choice] = (
        await api.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": QUESTION}], tools=[WEATHER]
        )
    ).choices
    assert (choice.finish_reason, choice.message.content) == ("stop", '{"city": "Oslo"}')
