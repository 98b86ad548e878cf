"""A conversation as a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

from orchestrator.conversations import Turn
from orchestrator.storage.records import Conversation


def export_json(head: Conversation, whole: dict[str, Any]) -> Response:
    """Everything that ``GET /v1/conversations/{id}`` says."""
    body = orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return _file(head, body, "json", "application/json")


def export_markdown(head: Conversation, turns: Sequence[Turn]) -> Response:
    """The branch that ends with the latest turn, as a text to read."""
    lines = [f"# {head.title or 'Conversation'}", ""]
    for turn in _latest_branch(turns):
        lines += [f"## {_speaker(turn)} ({_moment(turn.created)})", "", turn.content or _silence(turn), ""]
    return _file(head, "\n".join(lines).encode(), "md", "text/markdown; charset=utf-8")


def _latest_branch(turns: Sequence[Turn]) -> list[Turn]:
    known = {turn.id: turn for turn in turns}
    branch: list[Turn] = []
    turn = turns[-1] if turns else None
    while turn is not None:
        branch.append(turn)
        turn = known.get(turn.parent or "")
    return branch[::-1]


def _speaker(turn: Turn) -> str:
    if turn.role == "user":
        return "Question"
    return f"Answer by {turn.route}" if turn.route else "Answer"


def _silence(turn: Turn) -> str:
    return f"*({turn.error or turn.status or 'empty'})*"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _file(head: Conversation, body: bytes, ending: str, media_type: str) -> Response:
    name = "".join(char if char.isalnum() else "-" for char in head.title).strip("-")[:60] or "conversation"
    plain = f'filename="conversation.{ending}"'
    headers = {
        "content-type": media_type,
        "content-disposition": f"attachment; {plain}; filename*=UTF-8''{quote(name)}.{ending}",
        "x-content-type-options": "nosniff",
    }
    return Response(body, headers=headers)
