"""``/v1/chat/completions`` of the scripted engine, streaming and not, so that any OpenAI client can use it."""

import time
import uuid
from contextlib import aclosing
from typing import Any

from workers.engines.scripted.generation import Step, probabilities
from workers.engines.scripted.play import admit, play
from workers.engines.scripted.script import Reply
from workers.engines.scripted.state import EngineState
from workers.engines.scripted.tokenizer import chatml, encode
from workers.engines.scripted.wire import Exchange, Refusal


async def chat_completion(state: EngineState, exchange: Exchange) -> None:
    body = await exchange.json()
    if not isinstance(body.get("messages"), list):
        raise Refusal(400, "invalid_request_error", "'messages' is required")
    if body.get("tools") and body.get("stream") and body.get("logprobs"):
        # As llama.cpp's server does.
        raise Refusal(400, "invalid_request_error", "logprobs is not supported with tools + stream")
    prompt = chatml(body["messages"])
    ids = encode(prompt)
    reply, text = state.begin(prompt)
    admit(state, reply, ids)
    answer = _ChatAnswer(state, exchange, body, len(ids), state.cached(ids))
    if reply.tool_calls and body.get("tools"):
        await answer.call_tools(reply)
    else:
        await answer.write(reply, text)
    state.remember(ids)


class _ChatAnswer:
    """One answer in OpenAI's shapes."""

    def __init__(self, state: EngineState, exchange: Exchange, body: dict[str, Any], prompt: int, cached: int) -> None:
        self._state = state
        self._exchange = exchange
        self._stream = bool(body.get("stream"))
        self._include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        self._limit = -1 if limit is None else int(limit)
        stop = body.get("stop") or []
        self._stop: list[str] = [stop] if isinstance(stop, str) else stop
        self._top = int(body.get("top_logprobs") or 0) if body.get("logprobs") else None
        self._prompt = prompt
        self._cached = cached
        self._common = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": state.script.name}

    async def write(self, reply: Reply, text: str) -> None:
        written: list[Step] = []
        if self._stream:
            await self._open()
        playing = play(self._state, self._exchange, reply, text, self._limit, self._stop)
        async with aclosing(playing):
            async for step in playing:
                written.append(step)
                if self._stream and step.text:
                    await self._chunk({"content": step.text}, logprobs=self._logprobs([step]))
        reason = "length" if not written or written[-1].stop == "limit" else "stop"
        if self._stream:
            await self._end(reason, len(written))
        else:
            message = {"role": "assistant", "content": "".join(step.text for step in written)}
            await self._whole(message, reason, len(written), self._logprobs(written))

    async def call_tools(self, reply: Reply) -> None:
        self._state.stats.completed += 1
        calls = [{"index": index, **call} for index, call in enumerate(reply.tool_calls)]
        if self._stream:
            await self._open()
            for call in calls:
                # Name first, arguments in two parts, as real servers send them.
                function = call["function"]
                arguments = str(function["arguments"])
                half = len(arguments) // 2
                await self._chunk({"tool_calls": [{**call, "function": {**function, "arguments": arguments[:half]}}]})
                rest = {"index": call["index"], "function": {"arguments": arguments[half:]}}
                await self._chunk({"tool_calls": [rest]})
            await self._end("tool_calls", len(calls))
        else:
            message = {"role": "assistant", "content": None, "tool_calls": list(reply.tool_calls)}
            await self._whole(message, "tool_calls", len(calls), None)

    async def _open(self) -> None:
        await self._exchange.open_events()
        await self._chunk({"role": "assistant", "content": None})

    async def _chunk(self, delta: dict[str, Any], reason: str | None = None, logprobs: object = None) -> None:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": reason}
        if logprobs is not None:
            choice["logprobs"] = logprobs
        await self._exchange.event({**self._common, "object": "chat.completion.chunk", "choices": [choice]})

    async def _end(self, reason: str, completion: int) -> None:
        await self._chunk({}, reason)
        if self._include_usage:
            usage = {"choices": [], "object": "chat.completion.chunk", "usage": self._usage(completion)}
            await self._exchange.event({**self._common, **usage})
        await self._exchange.close_events(b"data: [DONE]\n\n")

    async def _whole(self, message: dict[str, Any], reason: str, completion: int, logprobs: object) -> None:
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": reason}
        if logprobs is not None:
            choice["logprobs"] = logprobs
        body = {"object": "chat.completion", "choices": [choice], "usage": self._usage(completion)}
        await self._exchange.answer(200, {**self._common, **body})

    def _logprobs(self, written: list[Step]) -> dict[str, Any] | None:
        return None if self._top is None else {"content": [probabilities(step, self._top) for step in written]}

    def _usage(self, completion: int) -> dict[str, Any]:
        return {
            "prompt_tokens": self._prompt,
            "completion_tokens": completion,
            "total_tokens": self._prompt + completion,
            "prompt_tokens_details": {"cached_tokens": self._cached},
        }
