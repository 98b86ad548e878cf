"""How a run ends: its last event, from the controller's state or from what went wrong."""

from agents.events import RunFinished, RunStatus
from agents.problem import Answer
from orchestrator.answer_text import answer_text, open_question
from orchestrator.playbook.lesson import lesson_of
from orchestrator.runs import RunRequest
from orchestrator.state import RunState
from orchestrator.storage.records import Outcome
from routers.policy import Accept
from workers.collaboration.protocol import CollaborationBusy, UnknownPolicy, VocabulariesDiffer
from workers.engines.errors import EngineError, EngineUnavailable, UnfitRequest
from workers.ledger import LedgerSummary

_STOPPED = "the gateway stopped while it was writing this answer, which cannot be continued; send the request again"


def finished(state: RunState, ledger: LedgerSummary) -> RunFinished:
    """The last event of a run that came to its verdict."""
    verdict = state["verdict"]
    answer = state["attempts"][verdict.attempt] if isinstance(verdict, Accept) else None
    if open_question(state) is not None:
        answer = None
    text = answer_text(state)
    status = _status(state, answer)
    return RunFinished(
        status=status,
        finish_reason=_finish_reason(status, answer),
        route=state["decision"].route.name,
        text=text if answer is not None and answer.streamed else _bounded(text, state["request"]),
        value=answer.value if answer else None,
        ledger=ledger,
        provenance=answer.evidence.provenance if answer else None,
        recalled=state.get("recalled"),
    )


def failed(error: Exception, ledger: LedgerSummary) -> RunFinished:
    """The last event of a run that a fault ended; the caller gets the fault's message, which names the way out."""
    kind = _kind(error)
    message = str(error) if kind else "an internal error ended the run; the log has its details under the run's id"
    return _ended("error", ledger, error=message, error_type=kind or "internal")


def streamed(state: RunState) -> bool:
    """Whether the reader has seen the accepted answer while it was written."""
    verdict = state["verdict"]
    return isinstance(verdict, Accept) and state["attempts"][verdict.attempt].streamed


def outcome(state: RunState | None) -> Outcome | None:
    """What the run is remembered by; None for one that came to no verdict, or to an earlier run's once more: nothing
    is learned twice from one answer."""
    if state is None or state.get("recalled") is not None:
        return None
    assessment, verdict, lesson = state["assessment"], state["verdict"], lesson_of(state)
    return Outcome(
        strategy=state["decision"].route.strategy,
        difficulty=assessment.difficulty,
        form=assessment.form,
        # Nothing can be compared in free text, so nothing was verified.
        supported=None if assessment.form == "text" else isinstance(verdict, Accept) and verdict.supported,
        lesson=None if lesson is None else lesson.model_dump(mode="json"),
    )


def expected(error: Exception) -> bool:
    """Whether the caller is told all there is to say of it; the rest is for the log, with its traceback."""
    return _kind(error) is not None


def _kind(error: Exception) -> str | None:
    """What the fault is called on the wire; None for one that nobody expected."""
    match error:
        case EngineUnavailable():
            return "engine_unavailable"
        case UnfitRequest():
            return error.code
        case EngineError():
            return "engine_error"
        case CollaborationBusy():
            return "busy"
        case UnknownPolicy() | VocabulariesDiffer():
            return "unsupported_value"
        case _:
            return None


def lost(ledger: LedgerSummary, message: str = _STOPPED) -> RunFinished:
    """The last event of a run whose gateway stopped and that no other one can go on with: by default because its
    answer was already being read."""
    return _ended("error", ledger, error=message, error_type="gateway_stopped")


def cancelled(ledger: LedgerSummary) -> RunFinished:
    return _ended("cancelled", ledger)


def _ended(
    status: RunStatus, ledger: LedgerSummary, error: str | None = None, error_type: str | None = None
) -> RunFinished:
    return RunFinished(
        status=status,
        finish_reason="stop",
        route=None,
        text="",
        value=None,
        ledger=ledger,
        error=error,
        error_type=error_type,
    )


def _status(state: RunState, answer: Answer | None) -> RunStatus:
    if open_question(state) is not None:
        return "needs_input"
    if state.get("budget_spent"):
        return "budget"
    return "answered" if answer is not None else "abstained"


def _finish_reason(status: RunStatus, answer: Answer | None) -> str:
    if status == "budget":
        return "length"
    if answer is None:
        return "stop"
    if answer.tool_calls:
        return "tool_calls"
    # An internal attempt that ran to its bound does not cut the visible answer.
    return "length" if answer.streamed and answer.finish_reason == "length" else "stop"


def _bounded(text: str, request: RunRequest) -> str:
    """The visible answer of a checked run, ended at the caller's stop strings as a streamed one is by the engine."""
    ends = [text.index(stop) for stop in request.stop if stop and stop in text]
    return text[: min(ends)] if ends else text
