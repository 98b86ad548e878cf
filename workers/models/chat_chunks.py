"""Chunks of an OpenAI-shaped stream, read into tokens, usage and whole tool calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workers.engines.protocol import Token
from workers.usage import Usage

_NO_ID = -1


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def add(self, delta: Any) -> None:
        self.id = delta.id or self.id
        function = delta.function
        if function is not None:
            self.name = function.name or self.name
            self.arguments.append(function.arguments or "")

    def whole(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": "function", "function": function}


class ChunkReader:
    """Reads the chunks of one answer; ``begun`` says whether any came. After the last, ``reason``, ``usage`` and
    ``tool_calls()`` hold the rest.

    A provider's separate reasoning text is not part of the answer and is left out; its tokens are in the usage.
    """

    def __init__(self) -> None:
        self.begun = False
        self.reason: str | None = None
        self.usage = Usage()
        self._calls: dict[int, _Call] = {}

    def read(self, chunk: Any) -> list[Token]:
        self.begun = True
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self.usage = _usage(usage)
        if not chunk.choices:
            return []
        choice = chunk.choices[0]
        self.reason = choice.finish_reason or self.reason
        for call in choice.delta.tool_calls or ():
            self._calls.setdefault(call.index, _Call()).add(call)
        content = choice.delta.content
        return _tokens(content, getattr(choice, "logprobs", None)) if content else []

    def tool_calls(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(self._calls[index].whole() for index in sorted(self._calls))


def _tokens(content: str, logprobs: Any) -> list[Token]:
    entries = (getattr(logprobs, "content", None) or []) if logprobs is not None else []
    if len(entries) == 1:
        return [_token(content, entries[0])]
    if entries and "".join(entry.token for entry in entries) == content:
        return [_token(entry.token, entry) for entry in entries]
    return [Token(_NO_ID, content)]


def _token(text: str, entry: Any) -> Token:
    alternatives = entry.top_logprobs or ()
    top = tuple((_NO_ID, float(alternative.logprob)) for alternative in alternatives)
    return Token(_NO_ID, text, float(entry.logprob), top, tuple(str(each.token) for each in alternatives))


def _usage(usage: Any) -> Usage:
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    return Usage(prompt=usage.prompt_tokens or 0, completion=usage.completion_tokens or 0, cached=cached)
