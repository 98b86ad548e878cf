"""Runs as the doors see them: start one, tail its events, cancel it, read it back."""

from collections.abc import AsyncIterator
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from agents.events import Event, RunFinished, RunStatus
from routers.route import Decision, Effort
from workers.collaboration.protocol import Option
from workers.ledger import Budget, LedgerSummary
from workers.messages import Message

SINGLE_USER = "local"


class RunRequest(BaseModel):
    """One request to Tandem, already validated by its door.

    ``model`` is a virtual model (``auto``, ``auto-fast``, ``auto-deep``, a strategy) or a configured model's name.
    ``options`` are the strategy's own, over those of the settings.
    ``owner`` comes from the verified key, never from the body. ``strategy`` pins the strategy, ``budget`` overrides
    what the effort gives; sampling fields are None where the caller said nothing. ``follows`` is the run whose answer
    the last question is about, where the door knows it: other than by ``thread``, an earlier answer can be gone on from
    again after the conversation went elsewhere. ``fresh`` wants a new answer where an earlier one might be given again.
    ``max_risk`` is the share of wrong answers among those given that the caller will bear, between 0 and 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str = SINGLE_USER
    model: str = "auto"
    messages: tuple[Message, ...]
    effort: Effort | None = None
    budget: Budget | None = None
    strategy: str | None = None
    thread: str | None = None
    follows: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = None
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: str | dict[str, Any] | None = None
    options: dict[str, Option] = {}
    max_risk: float | None = None
    fresh: bool = False

    @property
    def undisturbed(self) -> bool:
        """Whether the caller brings tools, answers a tool call or sets a schema: then the model's own words pass
        through, and no strategy rewrites the question."""
        return bool(self.tools) or self.json_schema is not None or self.messages[-1].role == "tool"


class RunRecord(BaseModel):
    """A run as stored; ``status`` is "running" until its last event."""

    model_config = ConfigDict(frozen=True)

    id: str
    owner: str
    status: RunStatus | Literal["running"]
    request: RunRequest
    created: float
    route: str | None = None
    text: str = ""
    value: str | None = None
    ledger: LedgerSummary | None = None
    error: str | None = None


class ModelOffer(BaseModel):
    """One name a caller may put in ``model``."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["auto", "strategy", "model"]
    description: str


class RunRefused(Exception):
    """The request cannot be run as it stands; ``parameter`` names the field at fault. Doors answer with a 400."""

    def __init__(self, message: str, parameter: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.code = code


class UnknownRun(Exception):
    """No run of that id belongs to that owner. Doors answer with a 404, and do not tell which of the two it is."""


class Busy(Exception):
    """Too many runs are in flight. Doors answer with a 429 and ``Retry-After: retry_after`` (seconds)."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Runs(Protocol):
    """What ``orchestrator`` offers to the doors."""

    async def start(self, request: RunRequest) -> str:
        """Start a run and return its id. Raises ``RunRefused`` or ``Busy``."""
        ...

    def events(self, run: str, owner: str, after: str = "0") -> AsyncIterator[tuple[str, Event]]:
        """Yield (event id, event) from after ``after`` to the last, waiting for new ones. Event ids are opaque,
        ordered and valid as ``Last-Event-ID``. Ends after ``RunFinished``. Raises ``UnknownRun``."""
        ...

    async def cancel(self, run: str, owner: str) -> None:
        """Abort the run on its engines; its last event then says cancelled. Raises ``UnknownRun``."""
        ...

    async def get(self, run: str, owner: str) -> RunRecord:
        """Raises ``UnknownRun``."""
        ...

    async def decide(self, request: RunRequest) -> Decision:
        """The route a request would take, without running it. Raises ``RunRefused``."""
        ...

    def offers(self) -> tuple[ModelOffer, ...]: ...

    async def ready(self) -> dict[str, str]:
        """Each part (redis, engines, sandbox) and "ok" or what is wrong with it."""
        ...


async def finished(events: AsyncIterator[tuple[str, Event]]) -> RunFinished:
    """Wait for a run's last event."""
    async for _, event in events:
        if isinstance(event, RunFinished):
            return event
    raise RuntimeError("the event stream ended before the run did")
