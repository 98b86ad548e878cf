"""Where an answer goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import Block

from web.slack.question import Question
from web.slack.web_api import PacedClient
from web.slack.workspaces import Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """A thread in a workspace, and the client that may write there. ``user`` is whom the answer is for."""

    client: PacedClient
    workspace: Workspace
    channel: str
    thread: str
    user: str

    @classmethod
    def of(cls, question: Question, workspace: Workspace, client: PacedClient) -> "Place":
        return cls(client, workspace, question.channel, question.thread, question.user)

    async def post(
        self, text: str, blocks: Sequence[Block] | None = None, metadata: dict[str, Any] | None = None
    ) -> str:
        """Post a message of its own and return its time. Raises ``SlackApiError``."""
        answer = await self.client.chat_postMessage(
            channel=self.channel,
            thread_ts=self.thread,
            text=text,
            blocks=blocks,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])
