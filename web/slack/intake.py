"""Which of Slack's events are questions to the bot."""

from collections.abc import Mapping
from typing import Any

from web.slack.conversation import shared_files
from web.slack.inbox import Inbox
from web.slack.question import Question
from web.slack.wording import mentions
from web.slack.workspaces import Workspace

_SPOKEN = frozenset({None, "file_share", "thread_broadcast"})
_SLACKBOT = "USLACKBOT"


class Intake:
    """Everything in a direct message is a question; elsewhere a mention is, and the reply to a clarifying question."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def question(self, event: Mapping[str, Any], workspace: Workspace, enterprise: str | None) -> Question | None:
        """None for what is not for the bot: its own messages, those of other bots, edits, talk between people."""
        if not _by_a_person(event, workspace):
            return None
        ts = str(event["ts"])
        direct = event.get("channel_type") == "im"
        question = Question(
            enterprise=enterprise,
            team=workspace.team,
            channel=str(event["channel"]),
            place="direct" if direct else "channel",
            user=str(event["user"]),
            ts=ts,
            thread=str(event.get("thread_ts") or ts),
            text=str(event.get("text") or ""),
            files=shared_files(event),
        )
        # In a channel Slack sends a mention twice, as a mention and as a message; the inbox takes one of them.
        if direct or event.get("type") == "app_mention" or mentions(question.text, workspace.bot_user):
            return question
        if question.thread != ts and await self._inbox.is_reply(question):
            return question
        return None


def _by_a_person(event: Mapping[str, Any], workspace: Workspace) -> bool:
    if event.get("subtype") not in _SPOKEN or event.get("hidden"):
        return False
    if event.get("bot_id") or event.get("bot_profile") or not event.get("user"):
        return False
    return event["user"] not in (workspace.bot_user, _SLACKBOT) and "ts" in event and "channel" in event
