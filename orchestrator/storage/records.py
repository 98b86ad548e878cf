"""What the database gives back, free of SQLAlchemy."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from workers.ledger import LedgerSummary


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class ApiKey(_Record):
    """A key as it may be shown: ``hint`` is the beginning of its secret part.

    ``id`` is the owner of everything that the key's holder starts. Limits are None where the settings' apply.
    ``tools`` are the names and patterns of the tools that the holder may use. Times are Unix seconds.
    """

    id: str
    name: str
    hint: str
    may_see_reasoning: bool
    runs_per_minute: int | None
    concurrent_runs: int | None
    tools: tuple[str, ...] | None
    created: float
    revoked: float | None


class CreatedKey(_Record):
    """``plain`` is shown once and cannot be read back: only its digest is stored."""

    key: ApiKey
    plain: str


class Outcome(_Record):
    """What the controller knows of a run beyond its record; None where it does not apply or is not known yet.

    ``supported`` is whether the verifiers stood behind the answer; ``lesson`` is what the playbook may learn from it.
    """

    strategy: str | None = None
    difficulty: float | None = None
    form: str | None = None
    supported: bool | None = None
    lesson: dict[str, Any] | None = None

    @property
    def judged(self) -> bool:
        """Whether the answer's own examples say if it is right; agreement of attempts is no such thing."""
        return self.form == "code" and self.supported is not None


class TaughtRun(_Record):
    """A run with its ``lesson``. ``rating`` is the owner's feedback, None where there is none."""

    id: str
    owner: str
    created: float
    status: str
    request: dict[str, Any]
    route: str | None
    value: str | None
    form: str | None
    supported: bool | None
    ledger: LedgerSummary | None
    lesson: dict[str, Any]
    text: str
    rating: int | None


class RunFigures(_Record):
    """What is counted of an ended run. ``rating`` is the owner's feedback, None where there is none."""

    id: str
    created: float
    status: str
    route: str | None
    ledger: LedgerSummary | None
    supported: bool | None
    rating: int | None


class ThreadRecord(_Record):
    """What later requests of a conversation inherit from ``run``, its last one.

    ``digest`` identifies the messages up to and including that run's answer, so that a client that sends no thread
    id is recognised by what it repeats.
    """

    owner: str
    id: str
    run: str
    digest: str
    difficulty: float | None = None
    form: str | None = None
    route: str | None = None


class Conversation(_Record):
    """``updated`` is the time of the last turn. Times are Unix seconds."""

    id: str
    owner: str
    title: str
    created: float
    updated: float


class Feedback(_Record):
    rating: Literal[1, -1]
    reason: str | None = None


class TurnSettings(_Record):
    """How an answer was asked for; None where the server chose."""

    model: str | None = None
    strategy: str | None = None
    reasoning_effort: str | None = None
    budget: dict[str, Any] | None = None


class StoredTurn(_Record):
    """A turn without what its run says: ``content`` is that of questions, ``run`` that of answers."""

    id: str
    conversation: str
    parent: str | None
    role: Literal["user", "assistant"]
    content: str
    created: float
    run: str | None = None
    settings: TurnSettings = TurnSettings()
