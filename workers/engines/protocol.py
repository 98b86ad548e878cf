"""The seam between Tandem and whatever generates tokens."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from workers.usage import Usage

FinishReason = Literal["stop", "length", "abort", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token.

    ``text`` may be empty while a character that spans several tokens is incomplete. ``logprob`` is the natural
    logarithm of the model's probability before temperature; ``top`` holds (id, logprob) pairs, most probable first,
    and is empty unless the request asked for them. ``spellings`` are the texts of ``top``, where the request asked for
    those too or the engine sends them in any case.
    """

    id: int
    text: str
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()
    spellings: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Finish:
    """The last thing a generation yields: why it ended and what the engine counted."""

    reason: FinishReason
    usage: Usage
    tool_calls: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample. ``max_tokens`` bounds new tokens; temperature 0 is greedy; with ``seed`` None the engine draws
    one."""

    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Counted:
    """What an engine has read for a generation that may be cut short: 0 until its first token came, and for good where
    the engine tells only at the end. ``cached`` as in ``Usage``."""

    prompt: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """One request to an engine. ``request_id`` is a fixed-length hex UUID: SGLang matches ids to abort by prefix.
    ``spelled`` asks for the texts of the ``top_logprobs`` also where an engine has to look them up. ``counted`` is
    written by the engine."""

    prompt: tuple[int, ...]
    sampling: Sampling
    request_id: str
    top_logprobs: int = 0
    spelled: bool = False
    counted: Counted = field(default_factory=Counted, compare=False)


@dataclass(frozen=True, slots=True)
class EngineDescription:
    """What a running engine says of itself. ``context`` is the longest prompt plus completion, in tokens."""

    model: str
    vocabulary: int
    context: int
    slots: int = 1
    extra: Mapping[str, Any] = field(default_factory=dict)


class Engine(Protocol):
    """A server that holds one model.

    Every method raises ``EngineUnavailable`` when the server cannot be reached and ``EngineRefused`` when it
    declines the request, which is ``UnfitRequest`` where the request itself is at fault.
    """

    name: str

    async def alive(self) -> None:
        """Return if the server answers and can serve, asked anew every time; what ``describe`` says may be kept."""
        ...

    async def describe(self) -> EngineDescription: ...

    def generate(self, generation: Generation) -> AsyncIterator[Token | Finish]:
        """Yield tokens as they are decoded, then one ``Finish``.

        Ids are checked against the vocabulary first (``TokenOutOfVocabulary``): an id out of range ends an SGLang
        server. Closing the iterator early aborts the generation on the engine.
        """
        ...

    async def tokenize(self, text: str) -> tuple[int, ...]:
        """Ids of ``text``; template markers such as ``<|im_start|>`` become their special ids."""
        ...

    async def detokenize(self, ids: Sequence[int]) -> str: ...

    async def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """The model's own chat template over OpenAI-shaped messages, ending where the assistant's turn begins."""
        ...

    async def aclose(self) -> None: ...
