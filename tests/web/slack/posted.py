"""Messages in Slack as a reader sees them."""

from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.messages.chunk import TaskUpdateChunk

Json = dict[str, Any]


@dataclass
class Posted:
    """A message in Slack: ``text`` is what a reader sees, ``states`` what was seen before."""

    channel: str
    ts: str
    thread: str
    author: str
    text: str = ""
    tasks: dict[str, TaskUpdateChunk] = field(default_factory=dict)
    blocks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    streaming: bool = False
    deleted: bool = False
    files: list[Json] = field(default_factory=list)

    def button(self, action: str) -> Json:
        """The button of that action id. Raises ``StopIteration`` where there is none."""
        elements = (element for block in self.blocks for element in block.get("elements", ()))
        return next(element for element in elements if element.get("action_id") == action)

    @property
    def footer(self) -> str:
        return next((str(block["elements"][0]["text"]) for block in self.blocks if block["type"] == "context"), "")
