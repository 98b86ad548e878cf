"""A clarifying question over the OpenAI door: ordinary content, answered by the next message."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.orchestrator.conftest import settings_for
from tests.orchestrator.test_asking import ASKS, PROBLEM, SCRIPT
from tests.web.conftest import served
from web.gateway import create_app
from workers.engines.scripted.server import ScriptedServer


@pytest.fixture
async def api(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> AsyncIterator[openai.AsyncOpenAI]:
    scripted.script = SCRIPT
    app = create_app(settings_for(tmp_path, redis_url, scripted.url))
    async with served(app) as url, openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as api:
        yield api


async def test_the_question_is_content_and_the_next_message_answers_it(api: openai.AsyncOpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": PROBLEM}]
    first = await api.chat.completions.create(model="auto", messages=messages)
    [choice] = first.choices
    assert (choice.message.content, choice.finish_reason) == (ASKS, "stop")
    tandem: Any = first.model_extra and first.model_extra["tandem"]
    assert tandem["status"] == "needs_input"
    messages += [{"role": "assistant", "content": ASKS}, {"role": "user", "content": "10 in each"}]
    stream = await api.chat.completions.create(model="auto", messages=messages, stream=True)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
    assert text == "48"


async def test_a_caller_who_names_the_thread_sends_the_reply_alone(api: openai.AsyncOpenAI) -> None:
    thread: Any = {"tandem": {"thread_id": "apples"}}
    asked: list[Any] = [{"role": "user", "content": PROBLEM}]
    stream = await api.chat.completions.create(model="auto", messages=asked, stream=True, extra_body=thread)
    text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
    assert text == ASKS
    reply: list[Any] = [{"role": "user", "content": "10 in each"}]
    answer = await api.chat.completions.create(model="auto", messages=reply, extra_body=thread)
    assert answer.choices[0].message.content == "48"
