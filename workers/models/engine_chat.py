"""A chat model over a token-level engine: renders the messages with the model's own template and sends ids."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from workers.engines.errors import UnfitRequest
from workers.engines.protocol import Engine, Finish, Generation, Token
from workers.models.protocol import ChatRequest, ModelCard


class PromptTooLong(UnfitRequest):
    """The rendered prompt leaves no room for an answer in the model's context."""

    def __init__(self, model: str, prompt: int, context: int) -> None:
        super().__init__(
            f"the prompt is {prompt} tokens long and model {model!r} holds {context} with the answer; "
            "shorten the conversation or choose a model with a longer context",
            "context_length_exceeded",
        )


class EngineChat:
    """Text-only chat over an ``Engine``; tool calls and images go through ``LiteLLMChat``."""

    def __init__(self, card: ModelCard, engine: Engine) -> None:
        self._card = card
        self._engine = engine

    @property
    def card(self) -> ModelCard:
        return self._card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        prompt = request.prompt if request.prompt is not None else await self.prompt_ids(request)
        room = self._card.context - len(prompt)
        if room < 1:
            raise PromptTooLong(self._card.name, len(prompt), self._card.context)
        sampling = replace(request.sampling, max_tokens=min(request.sampling.max_tokens, room))
        generation = Generation(prompt, sampling, request.call, request.top_logprobs, request.spelled)
        stream = cast(AsyncGenerator[Token | Finish, None], self._engine.generate(generation))
        async with aclosing(stream):
            async for event in stream:
                request.meter.prompt = len(prompt)
                yield event

    async def prepared(self, request: ChatRequest) -> ChatRequest:
        return replace(request, prompt=await self.prompt_ids(request))

    async def prompt_ids(self, request: ChatRequest) -> tuple[int, ...]:
        text = await self._engine.render([message.openai() for message in request.messages])
        return await self._engine.tokenize(text + request.prefill)
