"""The seam between a strategy and two models that write one answer together."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from workers.engines.protocol import FinishReason, Sampling
from workers.messages import Message
from workers.usage import Usage

Option = float | int | str | bool


@dataclass(slots=True)
class CollaborationMeter:
    """What the engines of one answer have read and written so far, by model, discarded tokens included, and how many
    calls that took. Its finish says the same; an answer that is cut short is charged by this."""

    usage: dict[str, Usage] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def add(self, model: str, usage: Usage, calls: int = 0) -> None:
        self.usage[model] = self.usage.get(model, Usage()) + usage
        self.calls[model] = self.calls.get(model, 0) + calls


class CollaborationRequest(BaseModel):
    """One answer to be written by two models. ``job`` is a hex UUID; ``policy`` names who decides when to hand over,
    ``options`` override its published defaults. ``small`` and ``large`` are configured model names. ``prefill`` is text
    that the assistant's turn already begins with. ``meter`` is written while the answer is."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    job: str
    policy: str
    small: str
    large: str
    messages: tuple[Message, ...]
    sampling: Sampling
    options: dict[str, Option] = {}
    prefill: str = ""
    meter: CollaborationMeter = Field(default_factory=CollaborationMeter, exclude=True)


class Alternative(BaseModel):
    """Another token that could have stood here, and its natural-log probability."""

    model_config = ConfigDict(frozen=True)

    text: str
    logprob: float


class Written(BaseModel):
    """One token of the answer. ``position`` counts from 0 without gaps or repeats. ``entropy`` in nats, an estimate
    from below over the most probable tokens; None where the policy asks for none. ``grade`` is the one, from 0 to 9,
    for which the step that begins here was accepted or written anew, where the policy grades steps. ``text`` may be
    empty while a character that spans several tokens is incomplete."""

    model_config = ConfigDict(frozen=True)

    position: int
    id: int
    text: str
    model: str
    logprob: float | None = None
    entropy: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    grade: float | None = None


class Handover(BaseModel):
    """From ``position`` on, ``model`` writes; ``reason`` is a few words of the policy."""

    model_config = ConfigDict(frozen=True)

    position: int
    origin: str
    model: str
    reason: str


class Waiting(BaseModel):
    """The answer goes on when its engine may decode: ``waits_for`` is the model, ``place`` the place in the machine's
    queue (1 is next). Or it is begun when a worker is free for it: ``waits_for`` are then both models, as in
    ``small+large``, and ``place`` is among the answers that no worker has begun."""

    model_config = ConfigDict(frozen=True)

    waits_for: str
    place: int


@dataclass(frozen=True, slots=True)
class CollaborationFinish:
    """The last thing a collaboration yields: why it ended and what each engine counted, discarded tokens included."""

    reason: FinishReason
    usage: Mapping[str, Usage]
    calls: Mapping[str, int]


CollaborationEvent = Written | Handover | Waiting | CollaborationFinish


class Collaboration(Protocol):
    """Lets two models write one answer, here or on a worker."""

    def write(self, request: CollaborationRequest) -> AsyncGenerator[CollaborationEvent, None]:
        """Yield tokens, hand-overs and long waits as they happen, then one ``CollaborationFinish``. Closing the
        generator aborts both engines. Raises ``EngineUnavailable``, ``EngineRefused``, ``UnknownPolicy``,
        ``VocabulariesDiffer`` and ``CollaborationBusy``."""
        ...


class UnknownPolicy(Exception):
    """No policy of that name, or an option that it does not have."""


class VocabulariesDiffer(Exception):
    """A token-level policy was asked to mix two models whose token ids mean different things."""


class CollaborationBusy(Exception):
    """The queue of collaborative answers is full. Doors answer 429 with ``Retry-After: retry_after`` (seconds)."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
