"""What happens in a run, as typed events: the trace is their sequence, and every door tails it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from agents.problem import Provenance
from workers.collaboration.protocol import Written
from workers.ledger import Charge, LedgerSummary


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class RunStarted(_Event):
    type: Literal["run.started"] = "run.started"
    run: str
    model: str
    created: float


class AnswerRecalled(_Event):
    """No model was asked: ``run`` had exactly this request ``age`` seconds ago and wrote ``tokens`` completion tokens
    for the answer that comes again now."""

    type: Literal["answer.recalled"] = "answer.recalled"
    run: str
    age: float
    tokens: int


class RecalledEntry(BaseModel):
    """An entry of the playbook that a run uses: a recipe, a behaviour or an example, right at ``win_rate`` in
    its ``trials``."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    name: str
    status: str
    win_rate: float
    trials: int


class Recalled(_Event):
    """What the playbook gave for problems of this kind, its ``topic``, and why. ``left_out`` is the id of an entry that
    chance withheld, to see what it is worth; ``problem`` says why the run goes on without the playbook."""

    type: Literal["recalled"] = "recalled"
    topic: str | None = None
    entries: tuple[RecalledEntry, ...] = ()
    reason: str = ""
    left_out: str | None = None
    problem: str | None = None


class Assessed(_Event):
    """``difficulty`` between 0 and 1, None without a signal; ``reason`` is one sentence."""

    type: Literal["assessed"] = "assessed"
    form: str
    difficulty: float | None
    reason: str


class Considered(_Event):
    """A route that was weighed. ``success`` is its predicted probability of a right answer, ``tokens`` how many it
    writes, ``cost`` relative to the large model's step-by-step answer; None where no estimate exists. ``n`` questions
    are behind a success that was measured, with its 95 % ``interval``."""

    type: Literal["considered"] = "considered"
    route: str
    success: float | None
    cost: float | None
    tokens: float | None = None
    n: int | None = None
    interval: tuple[float, float] | None = None


class Routed(_Event):
    type: Literal["routed"] = "routed"
    route: str
    reason: str
    considered: tuple[Considered, ...] = ()


class Escalated(_Event):
    type: Literal["escalated"] = "escalated"
    origin: str
    route: str
    reason: str


class Queued(_Event):
    """Waiting for the machine's decode lease; ``position`` 1 is next. Two models that write together also wait for a
    worker: ``model`` is then both, as in ``small+large``."""

    type: Literal["queued"] = "queued"
    model: str
    position: int


class StepStarted(_Event):
    type: Literal["step.started"] = "step.started"
    step: str
    model: str
    purpose: str


class StepFinished(_Event):
    """``cancelled``: the step lost against others and was aborted on its engine; ``text`` is what it had by then."""

    type: Literal["step.finished"] = "step.finished"
    step: str
    text: str
    mean_logprob: float | None = None
    cancelled: bool = False


class ReasoningDelta(_Event):
    """``tokens`` says who wrote what where two models write together; empty otherwise."""

    type: Literal["reasoning.delta"] = "reasoning.delta"
    step: str
    text: str
    tokens: tuple[Written, ...] = ()


class ContentDelta(_Event):
    """``tokens`` as in ``ReasoningDelta``; ``model`` is then the model of the last of them."""

    type: Literal["content.delta"] = "content.delta"
    text: str
    model: str
    tokens: tuple[Written, ...] = ()


class HandedOver(_Event):
    """In a collaborative step ``model`` writes from token ``position`` on."""

    type: Literal["handed_over"] = "handed_over"
    step: str
    position: int
    origin: str
    model: str
    reason: str


class QuestionAsked(_Event):
    """The run needs an answer from the reader before it can go on; ``choices`` are quick replies, perhaps none."""

    type: Literal["question.asked"] = "question.asked"
    question: str
    choices: tuple[str, ...] = ()


class ArtifactMade(_Event):
    """A file that a program wrote; doors serve it under the run by its ``name``. ``size`` in bytes."""

    type: Literal["artifact"] = "artifact"
    name: str
    media_type: str
    size: int


class ToolCalls(_Event):
    """The model asks the caller's own tools; the run ends with finish_reason tool_calls."""

    type: Literal["tool_calls"] = "tool_calls"
    calls: tuple[dict[str, Any], ...]


class ToolStarted(_Event):
    """``call`` says which ``ToolFinished`` belongs to it; empty in events that were stored before it was."""

    type: Literal["tool.started"] = "tool.started"
    call: str = ""
    tool: str
    input: str


class ToolFinished(_Event):
    """``cancelled``: the branch of the run that had called the tool was stopped, and there is no output."""

    type: Literal["tool.finished"] = "tool.finished"
    call: str = ""
    tool: str
    output: str
    ok: bool
    seconds: float
    cancelled: bool = False


class Verdict(_Event):
    """What a verifier says of an answer; ``accepted`` None means that it could not tell."""

    type: Literal["verdict"] = "verdict"
    verifier: str
    accepted: bool | None
    reason: str


class Charged(_Event):
    type: Literal["charged"] = "charged"
    charge: Charge


class RunResumed(_Event):
    """A gateway took the run over from its last checkpoint after the one that ran it had gone."""

    type: Literal["run.resumed"] = "run.resumed"
    fence: int


RunStatus = Literal["answered", "budget", "needs_input", "abstained", "cancelled", "error"]


class RunFinished(_Event):
    """The last event of every run. ``value`` is the checked final answer; ``error`` is set with status error,
    ``provenance`` where two models wrote the answer together, ``recalled`` where the answer is an earlier run's."""

    type: Literal["run.finished"] = "run.finished"
    status: RunStatus
    finish_reason: str
    route: str | None
    text: str
    value: str | None
    ledger: LedgerSummary
    error: str | None = None
    error_type: str | None = None
    provenance: Provenance | None = None
    recalled: str | None = None


Event = Annotated[
    RunStarted
    | AnswerRecalled
    | Recalled
    | Assessed
    | Routed
    | Escalated
    | Queued
    | StepStarted
    | StepFinished
    | ReasoningDelta
    | ContentDelta
    | HandedOver
    | QuestionAsked
    | ArtifactMade
    | ToolCalls
    | ToolStarted
    | ToolFinished
    | Verdict
    | Charged
    | RunResumed
    | RunFinished,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
