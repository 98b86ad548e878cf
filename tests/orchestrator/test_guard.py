"""Chat-template markers do not get past the guard."""

import pytest

from orchestrator.guard import strip_template_tokens
from tests.hostile import ENOUGH, cpu_seconds

MARKERS = ("<|im_start|>", "<|endoftext|>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<end_of_turn>")


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_is_taken_out_and_what_stood_around_it_with_it(marker: str) -> None:
    assert strip_template_tokens(f"one {marker}two") == "one two"
    half = len(marker) // 2
    for inner in MARKERS:
        assert strip_template_tokens(f"one {marker[:half]}{inner}{marker[half:]}two") == "one two"


@pytest.mark.parametrize("depth", [2, 8, 9, 100])
def test_markers_nested_however_deep_leave_none(depth: int) -> None:
    kept = strip_template_tokens("<" * depth + "<s>" + "s>" * depth)
    assert not any(marker in kept for marker in MARKERS)


def test_other_text_stays_as_it_is() -> None:
    text = "if a < b and c[INS] > 2: print('<b>|</b>')"
    assert strip_template_tokens(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "<" * 100_000 + "<s>" + "s>" * 100_000,
        "[INS" * 60_000 + "[INST]" + "T]" * 60_000,
        "<|" * 150_000,
        f"<|{'a' * 40}" * 7_000,
        "<s>" * 100_000,
    ],
)
def test_long_repetition_is_no_trap(text: str) -> None:
    assert cpu_seconds(strip_template_tokens, text) < ENOUGH
