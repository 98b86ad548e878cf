"""Faults that travel from a worker to the gateway mean there what they meant here."""

import pytest

from workers.collaboration.faults import error_of, fault_of
from workers.collaboration.protocol import UnknownPolicy, VocabulariesDiffer
from workers.engines.errors import EngineRefused, EngineUnavailable, UnfitRequest
from workers.models.engine_chat import PromptTooLong


@pytest.mark.parametrize(
    "error", [EngineUnavailable("a"), EngineRefused("b"), UnknownPolicy("c"), VocabulariesDiffer("d")]
)
def test_a_fault_arrives_as_what_it_was(error: Exception) -> None:
    arrived = error_of(fault_of(error, "job"))
    assert (type(arrived), str(arrived)) == (type(error), str(error))


@pytest.mark.parametrize(
    ("error", "code"),
    [(PromptTooLong("l", 9, 8), "context_length_exceeded"), (UnfitRequest("no"), "unsupported_value")],
)
def test_a_request_at_fault_stays_at_fault(error: UnfitRequest, code: str) -> None:
    arrived = error_of(fault_of(error, "job"))
    assert isinstance(arrived, UnfitRequest)
    assert (arrived.code, str(arrived)) == (code, str(error))


def test_an_unexpected_error_is_told_without_its_words() -> None:
    assert "secret" not in fault_of(ValueError("secret"), "job").message
