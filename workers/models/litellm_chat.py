"""Chat with any provider that LiteLLM knows, and with a local server's ``/v1`` endpoint when a request brings tools."""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, cast

from workers.engines.errors import EngineError, EngineUnavailable, refusal
from workers.engines.protocol import Finish, FinishReason, Token
from workers.models.chat_chunks import ChunkReader
from workers.models.protocol import ChatRequest, ModelCard

_UNAVAILABLE_FROM = 500
_TEMPORARY = frozenset((408, 429))
# LiteLLM's retries would start a generation anew behind the ledger's back; retrying is the controller's decision.
_NO_RETRIES = {"max_retries": 0, "num_retries": 0}


class LiteLLMChat:
    """A model behind LiteLLM. Tokens have id -1; each is one piece of the stream, usually one token.

    ``provider_model`` is LiteLLM's name, for example ``openai/qwen`` with ``api_base`` for an OpenAI-compatible
    server. Raises ``EngineRefused`` when the provider declines a request (``UnfitRequest`` where that is the request's
    own fault) and ``EngineUnavailable`` when it cannot be reached, limits the rate, or breaks off.
    """

    def __init__(self, card: ModelCard, provider_model: str, api_base: str | None, api_key: str | None) -> None:
        self._card = card
        self._provider_model = provider_model
        self._api_base = api_base
        self._api_key = api_key

    @property
    def card(self) -> ModelCard:
        return self._card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        litellm = await load_litellm()
        reader = ChunkReader()
        arguments = self._arguments(request)
        try:
            response = await litellm.acompletion(**arguments)
            async with aclosing(response):
                async for chunk in response:
                    for token in reader.read(chunk):
                        yield token
        except litellm.exceptions.openai.APIError as error:
            raise self._translated(error) from error
        finally:
            if reader.reason is None and reader.begun:
                # The provider counts at the end only: a call that is cut short is charged for an estimate.
                request.meter.prompt = litellm.token_counter(model=self._provider_model, messages=arguments["messages"])
        yield self._finish(reader)

    def _finish(self, reader: ChunkReader) -> Finish:
        if reader.reason is None:
            raise EngineUnavailable(f"model {self._card.name!r} ended its answer without a finish reason; try again")
        return Finish(_finish_reason(reader.reason), reader.usage, reader.tool_calls())

    def _arguments(self, request: ChatRequest) -> dict[str, Any]:
        sampling = request.sampling
        messages = [message.openai() for message in request.messages]
        if request.prefill:
            messages.append({"role": "assistant", "content": request.prefill})
        arguments: dict[str, Any] = {
            "model": self._provider_model,
            "messages": messages,
            "api_base": self._api_base,
            # OpenAI's client insists on a key, also for a local server that asks for none.
            "api_key": self._api_key or ("none" if self._api_base else None),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            # Tools are the caller's own: LiteLLM must not run any of them itself.
            "_skip_mcp_handler": True,
            **_NO_RETRIES,
        }
        return arguments | _optional(request)

    def _translated(self, error: Any) -> EngineError:
        status = int(getattr(error, "status_code", None) or _UNAVAILABLE_FROM)
        text = f"model {self._card.name!r} ({self._provider_model}): {error.message}"
        if status >= _UNAVAILABLE_FROM or status in _TEMPORARY:
            return EngineUnavailable(f"{text}; check that its server runs, then try again")
        return refusal(text, status)


async def load_litellm() -> Any:
    """The litellm module, imported off the event loop on first use: the import takes seconds."""
    if "litellm" in sys.modules and hasattr(sys.modules["litellm"], "acompletion"):
        return sys.modules["litellm"]
    return await asyncio.to_thread(_import)


def _import() -> Any:
    # Read while litellm is imported: else it downloads a price list.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    module: Any = importlib.import_module("litellm")
    # Both keep litellm from printing advertisements into the logs and from fetching tokenizers.
    module.suppress_debug_info = True
    module.disable_hf_tokenizer_download = True
    # Its tables take a third of a second to load, which must not happen on the event loop when a call is cut short.
    module.token_counter(model="openai/any", text="")
    return module


def _optional(request: ChatRequest) -> dict[str, Any]:
    """Parameters that some providers do not know: sent only when the request asks for them."""
    sampling = request.sampling
    schema = sampling.json_schema
    wanted: dict[str, Any] = {
        "top_p": sampling.top_p if sampling.top_p < 1 else None,
        "top_k": sampling.top_k if sampling.top_k > 0 else None,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "response_format": None if schema is None else _response_format(schema),
        "tools": list(request.tools) or None,
        "tool_choice": request.tool_choice if request.tools else None,
    }
    if request.top_logprobs > 0:
        wanted |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    return {name: value for name, value in wanted.items() if value is not None}


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema), "strict": True}}


def _finish_reason(reason: str) -> FinishReason:
    return cast(FinishReason, reason) if reason in ("stop", "length", "tool_calls") else "stop"
