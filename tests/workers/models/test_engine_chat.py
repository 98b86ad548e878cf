"""Chat over a token-level engine."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Finish, Generation, Sampling, Token
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message
from workers.models.engine_chat import EngineChat, PromptTooLong
from workers.models.protocol import ChatRequest, ModelCard, complete
from workers.usage import Usage


async def test_the_models_own_template_renders_the_messages(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("Hello!"))
    messages = (Message(role="developer", content="Be brief."), Message(role="user", content="Hi"))
    answer = await complete(chat, ChatRequest(messages, Sampling(), "0" * 32, prefill="Well, "))
    prompt = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nWell, "
    assert scripted.stats.prompts[-1] == prompt
    markers = prompt.count("<|im_")
    read = len(prompt) - prompt.count("<|im_start|>") * 12 - prompt.count("<|im_end|>") * 10 + markers
    assert (answer.text, answer.reason) == ("Hello!", "stop")
    assert answer.usage == Usage(prompt=read, completion=7)
    assert "".join(token.text for token in answer.tokens) == answer.text


async def test_log_probabilities_when_asked(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("ab", logprobs=(-1.0, -2.0, -3.0)))
    request = ChatRequest((Message(role="user", content="x"),), Sampling(), "0" * 32, top_logprobs=3)
    answer = await complete(chat, request)
    assert answer.mean_logprob() == pytest.approx(-2.0)
    assert (await complete(chat, ChatRequest(request.messages, Sampling(), "0" * 32))).mean_logprob() is None


async def test_an_engine_is_asked_to_spell_alternatives_where_somebody_reads_them(scripted: ScriptedServer) -> None:
    engine = _Asked("small", scripted.url)
    request = ChatRequest((Message(role="user", content="x"),), Sampling(), "0" * 32, top_logprobs=3)
    for spelled in (True, False):
        await complete(EngineChat(ModelCard("small", 0.5, 4096), engine), replace(request, spelled=spelled))
    assert [generation.spelled for generation in engine.generations] == [True, False]
    await engine.aclose()


class _Asked(LlamaCppEngine):
    """Keeps what it was asked to generate."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name, url)
        self.generations: list[Generation] = []

    def generate(self, generation: Generation) -> AsyncIterator[Token | Finish]:
        self.generations.append(generation)
        return super().generate(generation)


async def test_an_answer_gets_what_room_the_context_leaves(chat: EngineChat, scripted: ScriptedServer) -> None:
    scripted.script = Script(default=say("on and on ", endless=True))
    long = (Message(role="user", content="x" * 4000),)
    answer = await complete(chat, ChatRequest(long, Sampling(max_tokens=1000), "0" * 32))
    assert answer.reason == "length"
    assert answer.usage.total == 4096


async def test_a_prompt_that_leaves_no_room_is_refused_with_both_numbers(
    chat: EngineChat, scripted: ScriptedServer
) -> None:
    too_long = (Message(role="user", content="x" * 5000),)
    with pytest.raises(PromptTooLong, match=r"50\d\d tokens.*4096"):
        await complete(chat, ChatRequest(too_long, Sampling(), "0" * 32))
    assert scripted.stats.requests == 0
