"""What is asked and what comes back."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.verifiers.choice_texts import NO_CHOICES, Choices, choices_in
from workers.collaboration.protocol import Option
from workers.engines.protocol import FinishReason, Sampling
from workers.messages import Message

AnswerForm = Literal["number", "expression", "choice", "yes-no", "code", "text"]


class Problem(BaseModel):
    """A request as a strategy sees it.

    ``messages`` is the whole thread; the question is its last user message. ``form`` says how answers are compared;
    ``text`` means that nothing can be compared and the answer is written straight to the reader; ``code`` that a
    function is wanted, which can be run but not compared. ``tools`` are the
    caller's own: the model may ask for them, and the run then ends with the calls it wants.
    ``options`` are the caller's for the strategy, over those of the settings.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    messages: tuple[Message, ...]
    form: AnswerForm = "text"
    sampling: Sampling = Field(default_factory=Sampling)
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: str | dict[str, Any] | None = None
    options: dict[str, Option] = {}

    @property
    def checkable(self) -> bool:
        return self.form not in ("text", "code")

    @property
    def question(self) -> str:
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def choices(self) -> Choices:
        """What each choice says, by its letter, where the answer is one of them; else empty."""
        return choices_in(self.question) if self.form == "choice" else NO_CHOICES


class Provenance(BaseModel):
    """Who wrote an answer that two models wrote together: the share of its ``tokens`` that is the large model's, and
    how often they took turns."""

    model_config = ConfigDict(frozen=True)

    tokens: int
    large_share: float
    handovers: int


class Evidence(BaseModel):
    """What speaks for an answer. None means that the strategy yields no such evidence, which is not the same as False.

    ``agreement`` is the share of the votes that the answer got, ``votes`` their number, ``mean_logprob`` the mean
    natural-log probability of the tokens that produced it, ``length`` how many these are. ``provenance`` is that of a
    collaborative answer.
    """

    model_config = ConfigDict(frozen=True)

    program_ran: bool | None = None
    agreement: float | None = None
    votes: int = 0
    mean_logprob: float | None = None
    length: int | None = None
    provenance: Provenance | None = None


class Answer(BaseModel):
    """``text`` is what the reader sees, ``value`` the final answer to compare (None where there is none)."""

    model_config = ConfigDict(frozen=True)

    text: str
    value: str | None = None
    strategy: str
    model: str
    evidence: Evidence = Evidence()
    finish_reason: FinishReason = "stop"
    streamed: bool = False
    tool_calls: tuple[dict[str, Any], ...] = ()
