"""The seam between strategies and models: messages in, a stream of tokens and one finish out."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from workers.engines.protocol import Finish, FinishReason, Sampling, Token
from workers.messages import Message
from workers.usage import Usage


@dataclass(slots=True)
class Meter:
    """What is known of a call before its engine has counted: ``prompt`` tokens, 0 until the first token came.
    ``seconds`` is how long its engine has taken for it so far, where a cache of generations tells it."""

    prompt: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked. ``prefill`` is text the assistant's turn already begins with; ``spelled`` asks for the
    texts of the ``top_logprobs`` also where an engine has to look them up.

    ``call`` names the call inside its run, so that a repeated node is charged once; it is a hex UUID.
    ``meter`` is written by the model, so that a call that is cut short can be charged for its prompt.
    ``prompt`` has the token ids of all this in the model's own template, where they are known already.
    """

    messages: tuple[Message, ...]
    sampling: Sampling
    call: str
    prefill: str = ""
    top_logprobs: int = 0
    spelled: bool = False
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    meter: Meter = field(default_factory=Meter, compare=False)
    prompt: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model. ``parameters`` in billions, embeddings included; ``digest``: sha256 of its file."""

    name: str
    parameters: float
    context: int
    digest: str = ""
    can_call_tools: bool = True
    can_follow_schema: bool = True


class ChatModel(Protocol):
    """Yields tokens as they come, then one ``Finish``. Closing the generator aborts the call where it runs."""

    @property
    def card(self) -> ModelCard: ...

    def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]: ...


class PreparingModel(ChatModel, Protocol):
    """A model that can do part of a call's work before its engine is needed for decoding."""

    async def prepared(self, request: ChatRequest) -> ChatRequest:
        """The same request with what is known of it in advance."""
        ...


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer: its text, its tokens, why it ended, what was counted."""

    text: str
    tokens: tuple[Token, ...]
    reason: FinishReason
    usage: Usage
    tool_calls: tuple[Mapping[str, Any], ...] = ()

    def mean_logprob(self) -> float | None:
        """Mean natural-log probability of the written tokens; None where the model gives no log-probabilities."""
        values = [token.logprob for token in self.tokens if token.logprob is not None]
        return sum(values) / len(values) if values else None


async def complete(model: ChatModel, request: ChatRequest) -> Completion:
    """Run a request to its end without showing the tokens to anyone."""
    tokens: list[Token] = []
    async with aclosing(model.generate(request)) as stream:
        async for event in stream:
            if isinstance(event, Finish):
                return collect(tokens, event)
            tokens.append(event)
    raise RuntimeError(f"model {model.card.name!r} ended its stream without a finish")


def collect(tokens: list[Token], finish: Finish) -> Completion:
    return Completion(
        text="".join(token.text for token in tokens),
        tokens=tuple(tokens),
        reason=finish.reason,
        usage=finish.usage,
        tool_calls=finish.tool_calls,
    )
