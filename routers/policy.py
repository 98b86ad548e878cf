"""How a policy is asked: which route first, and after each attempt whether to accept, climb or give up."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from agents.problem import Answer
from routers.assessment import Assessment
from routers.route import Decision, Effort


class Accept(BaseModel):
    """Take attempt number ``attempt`` (from 0) as the answer. ``supported`` says whether evidence speaks for it."""

    model_config = ConfigDict(frozen=True)

    attempt: int
    reason: str
    supported: bool = True


class Abstain(BaseModel):
    """No attempt yielded an answer and no route is left."""

    model_config = ConfigDict(frozen=True)

    reason: str


class Policy(Protocol):
    """Chooses routes; it never calls a model itself."""

    def first(self, assessment: Assessment, effort: Effort) -> Decision: ...

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        """Look at the attempts so far (at least one) and say what comes next. May take tens of milliseconds of CPU
        time to compare answers: call it off the event loop."""
        ...
