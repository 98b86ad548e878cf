"""Faults of a collaborative answer, as they travel from a worker to the gateway."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from workers.collaboration.protocol import UnknownPolicy, VocabulariesDiffer
from workers.engines.errors import EngineError, EngineRefused, EngineUnavailable, UnfitCode, UnfitRequest

Kind = Literal["unavailable", "refused", "policy", "vocabularies", "internal"] | UnfitCode
_EXPECTED = (EngineError, UnknownPolicy, VocabulariesDiffer)


class NoCollaborationWorker(EngineUnavailable):
    """Nobody writes the answer: no worker serves the queue, or workers keep dying over it."""


class CollaborationBroken(RuntimeError):
    """The worker met an error that it did not expect; its log has the details under the job's id."""


class Fault(BaseModel):
    """``message`` names the way out."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    message: str


def expected(error: Exception) -> bool:
    """Whether this is one of the errors that ``Collaboration.write`` says it raises."""
    return isinstance(error, _EXPECTED)


def fault_of(error: Exception, job: str) -> Fault:
    match error:
        case EngineUnavailable():
            return Fault(kind="unavailable", message=str(error))
        case UnfitRequest():
            return Fault(kind=error.code, message=str(error))
        case EngineError():
            return Fault(kind="refused", message=str(error))
        case UnknownPolicy():
            return Fault(kind="policy", message=str(error))
        case VocabulariesDiffer():
            return Fault(kind="vocabularies", message=str(error))
        case _:
            message = f"an internal error ended the answer; the worker's log has its details under job {job}"
            return Fault(kind="internal", message=message)


def error_of(fault: Fault) -> Exception:
    match fault.kind:
        case "unavailable":
            return EngineUnavailable(fault.message)
        case "context_length_exceeded" | "unsupported_value":
            return UnfitRequest(fault.message, fault.kind)
        case "refused":
            return EngineRefused(fault.message)
        case "policy":
            return UnknownPolicy(fault.message)
        case "vocabularies":
            return VocabulariesDiffer(fault.message)
        case "internal":
            return CollaborationBroken(fault.message)
