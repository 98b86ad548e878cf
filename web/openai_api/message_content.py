"""The messages of a request: strings or text parts, tool calls with their ids."""

from collections.abc import Sequence
from typing import Any

from web.errors import invalid, shown
from web.openai_api.fields import MessageFields
from workers.messages import Message


def messages_of(given: Sequence[MessageFields]) -> tuple[Message, ...]:
    """The messages as the controller takes them. Raises ``ApiError``."""
    messages = tuple(_message(fields, f"messages[{index}]") for index, fields in enumerate(given))
    if not any(message.content.strip() or message.tool_calls for message in messages):
        raise invalid(
            "every message is empty; write a question into 'messages[0].content'", "messages", "empty_messages"
        )
    return messages


def _message(fields: MessageFields, path: str) -> Message:
    calls = fields.tool_calls or None
    if calls and fields.role != "assistant":
        raise invalid(f"'{path}.tool_calls' belongs to role assistant, not {fields.role}", f"{path}.tool_calls")
    if fields.role == "tool" and not fields.tool_call_id:
        raise invalid(
            f"'{path}.tool_call_id' is missing; name the tool call that this message answers",
            f"{path}.tool_call_id",
            "missing_required_parameter",
        )
    if fields.content is None and fields.role != "assistant":
        raise invalid(f"'{path}.content' is missing; add it", f"{path}.content", "missing_required_parameter")
    return Message(
        role=fields.role,
        content=_text(fields.content, f"{path}.content"),
        name=fields.name,
        tool_calls=[_tool_call(call, f"{path}.tool_calls[{index}]") for index, call in enumerate(calls)]
        if calls
        else None,
        tool_call_id=fields.tool_call_id,
    )


def _text(content: Any, path: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise invalid(
            f"'{path}' must be a string or an array of parts, but it is {shown(content)}", path, "invalid_type"
        )
    return "".join(_part(part, f"{path}[{index}]") for index, part in enumerate(content))


def _part(part: Any, path: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return str(part["refusal"])
    if kind in ("image_url", "input_audio", "file"):
        raise invalid(
            f"'{path}' is of type {shown(kind)}, and the models here read text only; leave it out",
            f"{path}.type",
            "unsupported_content",
        )
    raise invalid(f'\'{path}\' is {shown(part)}; write {{"type": "text", "text": "…"}}', path, "invalid_type")


def _tool_call(call: dict[str, Any], path: str) -> dict[str, Any]:
    function = call.get("function")
    if (
        not isinstance(call.get("id"), str)
        or not isinstance(function, dict)
        or not isinstance(function.get("name"), str)
        or not isinstance(function.get("arguments"), str)
    ):
        raise invalid(
            f"'{path}' is {shown(call)}; send the tool call back as it came: "
            '{"id": …, "type": "function", "function": {"name": …, "arguments": "…"}}',
            path,
        )
    return {
        "id": call["id"],
        "type": "function",
        "function": {"name": function["name"], "arguments": function["arguments"]},
    }
