"""What SGLang's ``/generate`` streams, as tokens: cumulative texts, ids and log-probabilities become deltas."""

from collections.abc import Sequence
from typing import Any

from workers.engines.errors import EngineRefused, EngineUnavailable, refusal
from workers.engines.protocol import Finish, FinishReason, Token
from workers.engines.stop_strings import forming
from workers.usage import Usage

_BAD_REQUEST = 400


class AnswerReader:
    """Reads the events of one answer. ``incremental`` servers send deltas, the others the whole answer so far.

    Text that may be the beginning of a stop string is held back until it is clear that it is not.
    """

    def __init__(self, engine: str, stop: Sequence[str], incremental: bool) -> None:
        self._engine = engine
        self._stop = tuple(stop)
        self._incremental = incremental
        self._ids = 0
        self._text = ""
        self._shown = 0

    def read(self, event: dict[str, Any]) -> list[Token | Finish]:
        """Tokens that ``event`` adds, and the ``Finish`` when it ends the answer.

        Raises ``EngineRefused`` or ``EngineUnavailable`` when the event carries the server's error.
        """
        if "error" in event:
            raise self._refusal(event["error"])
        meta: dict[str, Any] = event["meta_info"]
        reason: dict[str, Any] | None = meta.get("finish_reason")
        if reason is not None and reason["type"] == "abort" and "status_code" in reason:
            raise self._failure(reason)
        first = 0 if self._incremental else self._ids
        ids: list[int] = event["output_ids"][first:]
        self._ids += len(ids)
        self._text = self._text + event["text"] if self._incremental else event["text"]
        events: list[Token | Finish] = list(self._tokens(ids, self._showable(reason is not None), meta, first))
        if reason is not None:
            events.append(Finish(reason=_finish_reason(reason["type"]), usage=_usage(meta)))
        return events

    def _tokens(self, ids: list[int], text: str, meta: dict[str, Any], first: int) -> list[Token]:
        if not ids:
            return [Token(id=-1, text=text)] if text else []
        logprobs: list[Any] = meta.get("output_token_logprobs") or []
        tops: list[Any] = meta.get("output_top_logprobs") or []
        tokens = []
        for index, token in enumerate(ids):
            at = first + index
            logprob = float(logprobs[at][0]) if at < len(logprobs) else None
            entries = (tops[at] or ()) if at < len(tops) else ()
            top = tuple((int(entry[1]), float(entry[0])) for entry in entries)
            spellings = tuple(str(entry[2]) for entry in entries if entry[2] is not None)
            tokens.append(Token(token, text if index == len(ids) - 1 else "", logprob, top, spellings))
        return tokens

    def _showable(self, finished: bool) -> str:
        end = len(self._text) if finished else len(self._text) - forming(self._text, self._stop)
        text = self._text[self._shown : end]
        self._shown = max(self._shown, end)
        return text

    def _refusal(self, error: dict[str, Any]) -> EngineRefused:
        """Of a request that was not begun: the stream is open by then, so the status is in the event."""
        code = error.get("code")
        status = code if isinstance(code, int) else _BAD_REQUEST
        return refusal(f"engine {self._engine!r} refused the request: {error.get('message')}", status)

    def _failure(self, reason: dict[str, Any]) -> EngineRefused | EngineUnavailable:
        status = int(reason["status_code"])
        text = f"engine {self._engine!r} gave up the request with {status}: {reason.get('message')}"
        return refusal(text, status) if status < 500 else EngineUnavailable(text)


def _finish_reason(kind: str) -> FinishReason:
    if kind == "length":
        return "length"
    return "abort" if kind == "abort" else "stop"


def _usage(meta: dict[str, Any]) -> Usage:
    return Usage(
        prompt=int(meta["prompt_tokens"]),
        completion=int(meta["completion_tokens"]),
        cached=int(meta.get("cached_tokens") or 0),
    )
