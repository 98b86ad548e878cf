"""The seam between agents and the tools they may call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool said. ``ok`` is False for an error, whose text says what was wrong and what to do instead."""

    text: str
    ok: bool = True


class Tool(Protocol):
    """Something a model may call. ``schema`` is the JSON schema of its arguments, an object."""

    @property
    def name(self) -> str:
        """Letters, digits, ``_`` and ``-``, at most 64."""
        ...

    @property
    def description(self) -> str: ...

    @property
    def schema(self) -> Mapping[str, Any]: ...

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        """Do it. The arguments fit the schema. Never raises for what the arguments say."""
        ...
