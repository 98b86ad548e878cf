"""LiteLLM against a server that speaks OpenAI's protocol."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from tests.processes import free_port
from tests.waiting import eventually
from workers.engines.errors import EngineRefused, EngineUnavailable
from workers.engines.protocol import Sampling, Token
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message
from workers.models.litellm_chat import LiteLLMChat
from workers.models.protocol import ChatRequest, ModelCard, complete
from workers.usage import Usage

ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
CALLS = tuple(
    {"id": f"call_{n}", "type": "function", "function": {"name": "add", "arguments": f'{{"a": {n}, "b": 2}}'}}
    for n in (1, 2)
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    replies = (
        say("no tools offered", match="tool", tool_calls=CALLS),
        say("abc ", match="Count", delay=0.02, endless=True),
        say("", match="loading", failure="unavailable"),
        say("", match="refuse", failure="refuse"),
        say("abcdef", match="break off", failure="disconnect", failure_after=3),
    )
    with ScriptedServer(Script(replies=replies, default=say("Grüße.", logprobs=(-0.5,)))) as running:
        yield running


def model(server: ScriptedServer) -> LiteLLMChat:
    return LiteLLMChat(ModelCard("black-box", 1.0, 4096), "openai/scripted", f"{server.url}/v1", None)


def request(text: str, **fields: Any) -> ChatRequest:
    sampling = Sampling(max_tokens=fields.pop("max_tokens", 500), stop=fields.pop("stop", ()))
    return ChatRequest((Message(role="user", content=text),), sampling, "0" * 32, **fields)


async def test_an_answer_with_its_usage(server: ScriptedServer) -> None:
    answer = await complete(model(server), request("hi"))
    assert (answer.text, answer.reason) == ("Grüße.", "stop")
    assert answer.usage == Usage(prompt=len("user\nhi\nassistant\n") + 3, completion=9)
    assert all(token.id == -1 for token in answer.tokens)
    assert len(answer.tokens) > 1, "it is streamed"


async def test_a_limit_and_stop_strings_arrive_at_the_provider(server: ScriptedServer) -> None:
    assert (await complete(model(server), request("hi", max_tokens=3))).reason == "length"
    stopped = await complete(model(server), request("hi", stop=("ße",)))
    assert (stopped.text, stopped.reason) == ("Grü", "stop")


async def test_log_probabilities_when_asked(server: ScriptedServer) -> None:
    answer = await complete(model(server), request("hi", top_logprobs=2))
    assert answer.mean_logprob() == pytest.approx(-0.5)
    assert all(len(token.top) == len(token.spellings) == 2 for token in answer.tokens)


async def test_tool_calls_are_put_together(server: ScriptedServer) -> None:
    answer = await complete(model(server), request("use a tool", tools=(ADD,), tool_choice="auto"))
    assert answer.reason == "tool_calls"
    assert answer.tool_calls == CALLS
    assert answer.text == ""


async def test_a_call_that_is_cut_short_has_a_prompt_to_charge_for(server: ScriptedServer) -> None:
    cut = request("Count " + "one two three " * 50, max_tokens=5000)
    async with aclosing(model(server).generate(cut)) as stream:
        await anext(stream)
    assert 100 < cut.meter.prompt < 400


async def test_closing_aborts_at_the_provider(server: ScriptedServer) -> None:
    stream = model(server).generate(request("Count", max_tokens=5000))
    async with aclosing(stream):
        assert isinstance(await anext(stream), Token)
    await eventually(lambda: (server.stats.aborted, server.stats.running) == (1, 0))


@pytest.mark.parametrize(
    ("text", "error"), [("loading", EngineUnavailable), ("refuse", EngineRefused), ("break off", EngineUnavailable)]
)
async def test_errors_say_which_model(server: ScriptedServer, text: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="black-box"):
        await complete(model(server), request(text))
    assert server.stats.requests == 1, "nothing is retried behind the ledger's back"


async def test_a_server_that_is_not_there() -> None:
    gone = LiteLLMChat(ModelCard("gone", 1.0, 4096), "openai/gone", f"http://127.0.0.1:{free_port()}/v1", None)
    with pytest.raises(EngineUnavailable, match="gone"):
        await complete(gone, request("hi"))


def test_litellm_is_not_imported_before_it_is_used() -> None:
    program = "import sys, workers.models.litellm_chat; sys.exit('litellm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
