"""The clients people use, unchanged, against the gateway."""

import asyncio
from typing import Any

import litellm
import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.waiting import eventually
from tests.web.conftest import Gateway

USER: list[Any] = [{"role": "user", "content": "hi"}]


async def test_openai_asynchronous(gateway: Gateway) -> None:
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none") as client:
        whole = await client.chat.completions.create(model="auto", messages=USER)
        assert whole.choices[0].message.content == "You said: hi "
        assert whole.usage is not None
        assert whole.usage.total_tokens == 26
        stream = await client.chat.completions.create(
            model="auto", messages=USER, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "You said: hi "
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 8
        assert [model.id async for model in client.models.list()] == ["auto", "small"]


async def test_openai_synchronous(gateway: Gateway) -> None:
    def converse() -> tuple[str, str, str | None]:
        with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none") as client:
            stream = client.chat.completions.create(model="auto", messages=USER, stream=True)
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
            raw = client.chat.completions.with_raw_response.create(
                model="auto", messages=USER, extra_body={"tandem": {"effort": "low"}}
            )
            return text, raw.headers["x-tandem-route"], raw.parse().choices[0].message.content

    assert await asyncio.to_thread(converse) == ("You said: hi ", "cot(small)", "You said: hi ")
    assert {run.record.request.effort for run in gateway.runs.runs.values()} == {None, "low"}


async def test_openais_errors_are_its_own_classes(gateway: Gateway) -> None:
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError, match="gpt-9"):
            await client.chat.completions.create(model="gpt-9", messages=USER)
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(model="auto", messages=USER, temperature=9)
        assert (refused.value.param, refused.value.code) == ("temperature", "invalid_value")
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "busy"}])
        with pytest.raises(openai.APIError, match="broke off"):
            late: list[Any] = [{"role": "user", "content": "fail-late"}]
            async for _ in await client.chat.completions.create(model="auto", messages=late, stream=True):
                pass


async def test_openais_stream_closed_early_cancels_the_run(gateway: Gateway) -> None:
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none") as client:
        stall: list[Any] = [{"role": "user", "content": "stall"}]
        stream = await client.chat.completions.create(model="auto", messages=stall, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        await stream.close()
        run = gateway.runs.runs[await gateway.the_only_run()]
        await eventually(lambda: run.cancelled, seconds=5)


async def test_langchain(gateway: Gateway) -> None:
    model = ChatOpenAI(base_url=f"{gateway.url}/v1", api_key=SecretStr("none"), model="auto", temperature=0)
    answer = await model.ainvoke("hi")
    assert answer.content == "You said: hi "
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] == 26
    pieces = [piece.content async for piece in model.astream("hi")]
    assert "".join(str(piece) for piece in pieces) == "You said: hi "

    def weather(city: str) -> str:
        """The weather of a city."""
        return city

    called = await model.bind_tools([weather]).ainvoke("tool")
    assert called.tool_calls[0]["name"] == "weather"
    assert called.tool_calls[0]["args"] == {"city": "Oslo"}


async def test_litellm(gateway: Gateway) -> None:
    where = {"model": "openai/auto", "api_base": f"{gateway.url}/v1", "api_key": "none"}
    whole = await litellm.acompletion(messages=USER, **where)
    assert whole.choices[0].message.content == "You said: hi "
    assert whole.usage.total_tokens == 26
    stream = await litellm.acompletion(messages=USER, stream=True, **where)
    assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "You said: hi "
