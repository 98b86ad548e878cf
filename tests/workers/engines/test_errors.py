"""What a server's refusal is: the request's fault or not, in the servers' own words."""

import pytest

from workers.engines.errors import UnfitRequest, refusal


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        # llama.cpp
        ("request (9000 tokens) exceeds the available context size (8192 tokens)", 400, "context_length_exceeded"),
        # SGLang
        ("The input (9 tokens) is longer than the model's context length (8 tokens).", 400, "context_length_exceeded"),
        ("Input length (9 tokens) exceeds the maximum allowed length (8 tokens).", 400, "context_length_exceeded"),
        ("top_p must be in (0, 1], got 0.0.", 400, "unsupported_value"),
        ("Failed to compile json grammar", 400, "unsupported_value"),
        # Providers, as LiteLLM passes them on
        ("litellm.ContextWindowExceededError: prompt is 9 tokens", 400, "context_length_exceeded"),
        ("litellm.UnprocessableEntityError: unknown field", 422, "unsupported_value"),
        ("Request Entity Too Large", 413, "context_length_exceeded"),
    ],
)
def test_a_request_at_fault_is_told_what_of_it_and_the_way_out(words: str, status: int, code: str) -> None:
    found = refusal(words, status)
    assert isinstance(found, UnfitRequest)
    assert found.code == code
    assert str(found).startswith(f"{words}; ")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_key_or_an_address_that_is_wrong_is_not_the_requests_fault(status: int) -> None:
    assert not isinstance(refusal("context length", status), UnfitRequest)
