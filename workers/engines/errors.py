"""What goes wrong between Tandem and an engine."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

UnfitCode = Literal["context_length_exceeded", "unsupported_value"]

_REQUEST_AT_FAULT = frozenset({400, 413, 422})
_TOO_LARGE = 413
# In llama.cpp's, SGLang's and LiteLLM's words; no status and no field of theirs says it for all.
_TOO_LONG = re.compile(
    r"context[ _]?(?:length|size|window|limit)|maximum (?:allowed|input) length|prompt is too long", re.IGNORECASE
)
_WAYS_OUT: Mapping[UnfitCode, str] = MappingProxyType(
    {
        "context_length_exceeded": "shorten the conversation or its tools, or ask a model with a longer context",
        "unsupported_value": "change what it names in the request, or ask another model",
    }
)


class EngineError(Exception):
    """Base of the faults below; the message names the engine, the value and the way out."""


class EngineUnavailable(EngineError):
    """The server cannot be reached, or broke off in the middle of an answer."""


class EngineRefused(EngineError):
    """The server declined the request, or cannot be asked as it is set up (for example without its tokenizer)."""


class UnfitRequest(EngineRefused):
    """What was asked is at fault: asked again it is declined again. ``code`` is OpenAI's word for why."""

    def __init__(self, message: str, code: UnfitCode = "unsupported_value") -> None:
        super().__init__(message)
        self.code: UnfitCode = code


class TokenOutOfVocabulary(EngineError):
    """A prompt holds an id the model does not have; sending it would end some servers."""

    def __init__(self, engine: str, token: int, vocabulary: int) -> None:
        super().__init__(
            f"token id {token} is outside the vocabulary of engine {engine!r} (0 to {vocabulary - 1}); "
            "the ids come from another tokenizer: run `tandem doctor` to compare the tokenizers"
        )


def check_ids(engine: str, ids: tuple[int, ...], vocabulary: int) -> None:
    """Raise ``TokenOutOfVocabulary`` for the first id that the model does not have."""
    for token in ids:
        if not 0 <= token < vocabulary:
            raise TokenOutOfVocabulary(engine, token, vocabulary)


def refusal(message: str, status: int) -> EngineRefused:
    """What an HTTP ``status`` below 500 means; ``message`` has the server's words and gets a way out."""
    if status not in _REQUEST_AT_FAULT:
        return EngineRefused(message)
    code: UnfitCode = "unsupported_value"
    if status == _TOO_LARGE or _TOO_LONG.search(message):
        code = "context_length_exceeded"
    return UnfitRequest(f"{message}; {_WAYS_OUT[code]}", code)
