"""Tool calls that a model writes as plain JSON instead of in its template's format.

Small models often leave out the markers that their own template asks for, so that the server takes a call for text.
"""

import json
import re
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard

_OPENINGS = ("{", "[", "<tool_call>", "<tools>", "```json", "```tool_call", "```\n{")
_MARKERS = re.compile(r"```(?:json|tool_calls?)?|</?(?:tool_calls?|tools)>")
_LONGEST = 8_000


class ToolCallsInText:
    """Wraps a model: an answer that is nothing but calls of the request's tools ends as those calls, any other one
    passes unchanged. Text that may still become a call is held back until that is settled."""

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        names = {str(tool["function"]["name"]) for tool in request.tools}
        if request.tool_choice == "none":
            names = set()
        held: list[Token] | None = [] if names else None
        async with aclosing(self._inner.generate(request)) as stream:
            async for event in stream:
                if isinstance(event, Token) and held is not None:
                    held.append(event)
                    if not _may_be_call("".join(token.text for token in held)):
                        for token in held:
                            yield token
                        held = None
                    continue
                if isinstance(event, Finish) and held is not None:
                    calls = read_calls("".join(token.text for token in held), names)
                    if calls and event.reason == "stop" and not event.tool_calls:
                        yield replace(event, reason="tool_calls", tool_calls=calls)
                        return
                    for token in held:
                        yield token
                yield event


def read_calls(text: str, names: Iterable[str]) -> tuple[Mapping[str, Any], ...]:
    """The calls that make up ``text``, in OpenAI's shape; none if it holds anything else or names another tool."""
    bare = _MARKERS.sub("", text).strip()
    # Qwen2.5-Coder's template shows its example with doubled outer braces, and the model copies that.
    if bare.startswith("{{") and bare.endswith("}}"):
        bare = bare[1:] if _objects(bare[1:]) else bare[1:-1]
    known = set(names)
    calls = [_call(item, known) for item in _objects(bare)]
    return tuple(call for call in calls if call is not None) if calls and all(calls) else ()


def _may_be_call(text: str) -> bool:
    start = text.lstrip()
    if len(text) > _LONGEST:
        return False
    return any(start.startswith(opening) or opening.startswith(start) for opening in _OPENINGS)


def _objects(text: str) -> list[Any]:
    """JSON values that follow each other in ``text``; none if anything else stands between them."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            return []
        found.extend(value if isinstance(value, list) else [value])
        rest = rest[end:].lstrip(" \n\r\t,;")
    return found


def _call(item: Any, names: set[str]) -> Mapping[str, Any] | None:
    if not isinstance(item, dict) or item.get("name") not in names:
        return None
    arguments = item.get("arguments", item.get("parameters"))
    if isinstance(arguments, dict):
        arguments = json.dumps(arguments, ensure_ascii=False)
    if not isinstance(arguments, str):
        return None
    function = {"name": item["name"], "arguments": arguments}
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}
