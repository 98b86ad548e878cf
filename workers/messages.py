"""Conversations are lists of messages and stay so until an engine's chat template renders them."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["system", "developer", "user", "assistant", "tool"]

_BYTES_IN_A_TOKEN = 4


class Message(BaseModel):
    """One message in OpenAI's shape; text parts have been joined into ``content``."""

    model_config = ConfigDict(frozen=True)

    role: Role
    content: str = ""
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None

    def openai(self) -> dict[str, Any]:
        """The message as OpenAI's API and chat templates take it."""
        body = self.model_dump(exclude_none=True)
        if self.role == "developer":
            # Local chat templates know "system" only; OpenAI defines "developer" as its newer name.
            body["role"] = "system"
        return body


def estimated_tokens(messages: Iterable[Message], *more: str) -> int:
    """About how many tokens a prompt of ``messages`` and ``more`` text has, for where no tokenizer is at hand."""
    texts = (*(message.model_dump_json(exclude_none=True) for message in messages), *more)
    return sum(len(text.encode(errors="replace")) for text in texts) // _BYTES_IN_A_TOKEN
