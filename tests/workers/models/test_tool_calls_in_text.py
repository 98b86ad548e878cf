"""Calls that a model writes as plain text."""

import json

import pytest

from workers.models.tool_calls_in_text import read_calls

_CALL = '{"name": "weather", "arguments": {"city": "Oslo"}}'


@pytest.mark.parametrize(
    "text",
    [
        _CALL,
        f"```json\n{_CALL}\n```",
        f"<tool_call>\n{_CALL}\n</tool_call>",
        '{{"name": "weather", "arguments": {"city": "Oslo"}}}',
        '{{"name": "weather", "arguments": {"city": "Oslo"}}',
        '{"name": "weather", "parameters": {"city": "Oslo"}}',
    ],
)
def test_a_text_that_is_one_call_is_that_call(text: str) -> None:
    [call] = read_calls(text, {"weather"})
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Oslo"}


def test_several_calls_in_a_row_are_all_made() -> None:
    assert len(read_calls(f"{_CALL}\n{_CALL}", {"weather"})) == 2
    assert len(read_calls(f"[{_CALL}, {_CALL}]", {"weather"})) == 2


@pytest.mark.parametrize(
    "text",
    [
        "It is 12 degrees.",
        f"I would call {_CALL}",
        '{"name": "delete_everything", "arguments": {}}',
        f'{_CALL} {{"name": "delete_everything", "arguments": {{}}}}',
        '{"name": "weather"}',
        '{"city": "Oslo"}',
        "{" * 50_000,
        "",
    ],
)
def test_anything_else_stays_text(text: str) -> None:
    assert read_calls(text, {"weather"}) == ()
