"""The seam between the loop and what decides who writes.

A policy is one file in ``policies``: a class whose ``name`` is the file's. It asks the desk for proposals and yields
the ones that become the answer. Whatever it remembers it can work out from ``desk.written``, because another worker may
have to go on with the answer.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from workers.collaboration.head import Head
from workers.collaboration.protocol import Written
from workers.engines.protocol import Token
from workers.messages import Message

Role = Literal["small", "large"]
Level = Literal["token", "step"]
"""Policies of level "step" also work between models with different tokenizers; those of level "token" do not."""


class PolicyOptions(BaseModel):
    """What can be set of a policy; the defaults are the published ones.

    ``top_logprobs`` as many likeliest tokens are asked for with every token, for the trace and for how sure an answer
    is; 0 spares the engines the work."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top_logprobs: int = Field(default=1, ge=0, le=100)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A token that a model would write next. ``text`` completes characters that began in tokens of another model.
    ``entropy`` in nats, None unless log-probabilities were asked for; ``ends``: with it the model's turn is over."""

    token: Token
    text: str
    entropy: float | None = None
    ends: bool = False


END = Proposal(Token(id=-1, text=""), "", ends=True)
"""What a policy keeps to end the answer where neither model ended its turn."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The next tokens of the answer and who wrote them. ``reason`` is told where that is another model than before;
    ``grade`` (0 to 9) is what led here, where the policy grades steps and these tokens begin one."""

    role: Role
    proposals: Sequence[Proposal]
    reason: str
    grade: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """How a model is asked for its next tokens: at most ``limit`` of them (None: as many as the answer may still have),
    with so many ``top_logprobs`` each."""

    limit: int | None = None
    top_logprobs: int = 0


class Desk(Protocol):
    """What a policy works at: the answer so far, and both models, which have read it or will before they write.

    Every call of a model is counted, whether its tokens are kept or not.
    """

    @property
    def messages(self) -> tuple[Message, ...]: ...

    @property
    def seed(self) -> int:
        """For the policy's own chance: the request's seed, or a number made of its messages."""
        ...

    @property
    def written(self) -> Sequence[Written]: ...

    def author(self, written: Written) -> Role: ...

    def propose(self, role: Role, call: Call = Call()) -> AsyncGenerator[Proposal, None]:
        """What ``role`` would write next, one generation until it is closed, reaches the limit or ends its turn.

        Close it before the other model is asked.
        """
        ...

    async def judge(
        self, role: Role, draft: Sequence[Proposal], question: str, opening: str, top_logprobs: int
    ) -> Token | None:
        """The one token, greedy, with which ``role`` goes on from ``opening`` when it is asked ``question`` about the
        answer so far and ``draft`` after it; None if it ends its turn. ``draft`` is of the other model.

        The question follows what ``role`` has read, so that its prefix cache serves both.
        """
        ...

    async def note(self, role: Role, messages: Sequence[Message], limit: int) -> str:
        """A private text of ``role``, greedy: no part of the answer."""
        ...

    async def brief(self, role: Role, messages: Sequence[Message]) -> None:
        """Let ``role`` answer these messages from now on instead of the request's."""
        ...

    async def spell(self, role: Role, text: str) -> Sequence[Proposal]:
        """``text`` as tokens of ``role``, to be put into the answer as they are."""
        ...


@dataclass(frozen=True, slots=True)
class Resources:
    """What a policy may need besides its options. ``head`` None: none was trained for this pair."""

    head: Head | None = None


class Policy(Protocol):
    """Decides who writes one answer; built for it with its options and resources."""

    name: ClassVar[str]
    level: ClassVar[Level]

    @property
    def reserve(self) -> int:
        """Tokens of both models' contexts that what it asks beside the answer may take."""
        ...

    def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        """Yield the answer's tokens. The loop stops asking where the answer ends; the policy need not look for that."""
        ...


class PolicyKind(Protocol):
    """The class of a policy."""

    name: ClassVar[str]
    level: ClassVar[Level]
    Options: ClassVar[type[PolicyOptions]]

    def __call__(self, options: PolicyOptions, resources: Resources) -> Policy: ...
