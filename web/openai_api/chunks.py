"""The lines of a stream, encoded by hand: everything but the text is the same in every chunk of a choice."""

from collections.abc import Sequence
from typing import Any

from agents.events import RunFinished
from orchestrator.runs import RunRequest
from web.json_line import json_line
from web.openai_api.tool_calls import with_ids
from web.openai_api.usage import finish_reason, tandem_object, usage_of
from workers.ledger import LedgerSummary

DONE = b"data: [DONE]\n\n"


def queued(position: int, model: str) -> bytes:
    """An SSE comment: clients skip it, and proxies see that the connection lives."""
    return b": queued at %d for %s\n\n" % (position, json_line(model))


def error_line(body: bytes) -> bytes:
    """An error once the status line has gone out; ``body`` is OpenAI's error object."""
    return b"data: %s\n\n" % body


class Head:
    """What all chunks of one response begin with. ``created`` in Unix seconds."""

    def __init__(self, run: str, model: str, created: int) -> None:
        fixed = {"id": f"chatcmpl-{run}", "object": "chat.completion.chunk", "created": created, "model": model}
        self.bytes = b"data: " + json_line(fixed)[:-1]

    def usage(self, ledgers: Sequence[LedgerSummary]) -> bytes:
        return b'%s,"choices":[],"usage":%s}\n\n' % (self.bytes, json_line(usage_of(ledgers)))


class ChoiceChunks:
    """The chunks of one choice."""

    def __init__(self, head: Head, index: int, include_usage: bool) -> None:
        # OpenAI sends "usage": null in every chunk before the one that holds it.
        self._usage = b',"usage":null' if include_usage else b""
        start = b'%s,"choices":[{"index":%d,"delta":' % (head.bytes, index)
        self._start = start
        self._open = b',"logprobs":null,"finish_reason":null}]' + self._usage + b"}\n\n"
        self._content = start + b'{"content":'
        self._reasoning = start + b'{"reasoning_content":'
        self._close = b"}" + self._open

    def role(self) -> bytes:
        return self._start + b'{"role":"assistant","content":""}' + self._open

    def content(self, text: str) -> bytes:
        return self._content + json_line(text) + self._close

    def reasoning(self, text: str) -> bytes:
        return self._reasoning + json_line(text) + self._close

    def tool_calls(self, calls: Sequence[dict[str, Any]]) -> bytes:
        numbered = [{"index": number, **call} for number, call in enumerate(with_ids(calls))]
        return self._start + json_line({"tool_calls": numbered}) + self._open

    def last(self, run: str, request: RunRequest, finished: RunFinished) -> bytes:
        end = json_line(finish_reason(finished))
        tandem = json_line(tandem_object(run, request, finished))
        return b'%s{},"logprobs":null,"finish_reason":%s}]%s,"tandem":%s}\n\n' % (
            self._start,
            end,
            self._usage,
            tandem,
        )
