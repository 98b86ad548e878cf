"""What happens when a button below an answer is pressed."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError
from structlog.typing import FilteringBoundLogger

from orchestrator.runs import Runs, UnknownRun
from web.slack.blocks import CHOICE, FEEDBACK, HARDER, STOP, Pressed, choice_metadata
from web.slack.desk import Desk
from web.slack.inbox import Inbox
from web.slack.place import Place
from web.slack.question import Question, owner_of
from web.slack.web_api import NETWORK_ERRORS, Clients
from web.slack.wording import escaped
from web.slack.workspaces import Workspace


class FeedbackSink(Protocol):
    """Stores what a reader thinks of an answer. Raises ``UnknownRun``."""

    async def __call__(self, run: str, owner: str, good: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Press:
    """A press as Slack reports it: who pressed which button, below which message of which thread."""

    action: str
    pressed: Pressed
    user: str
    channel: str
    message: str
    thread: str
    direct: bool

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "Press | None":
        """None for a payload that is no press of one of our buttons."""
        actions = body.get("actions") or [{}]
        message = body.get("message") or {}
        container = body.get("container") or {}
        pressed = Pressed.read(str(actions[0].get("value", "")))
        ts = str(container.get("message_ts") or message.get("ts") or "")
        channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
        user = str((body.get("user") or {}).get("id") or "")
        if pressed is None or not ts or not channel or not user:
            return None
        thread = str(message.get("thread_ts") or container.get("thread_ts") or ts)
        action = str(actions[0].get("action_id", ""))
        return cls(action, pressed, user, channel, ts, thread, channel.startswith("D"))


class Buttons:
    """Stop, feedback and quick replies are the asker's; to think harder anybody in the thread may ask."""

    def __init__(
        self,
        *,
        runs: Runs,
        desk: Desk,
        inbox: Inbox,
        clients: Clients,
        feedback: FeedbackSink,
        log: FilteringBoundLogger,
    ) -> None:
        self._runs = runs
        self._desk = desk
        self._inbox = inbox
        self._clients = clients
        self._feedback = feedback
        self._log = log

    async def press(self, press: Press, workspace: Workspace, enterprise: str | None) -> None:
        """Do what the button says, and tell whoever pressed it where that cannot be seen or cannot be done."""
        if press.action == HARDER:
            await self._harder(press, workspace, enterprise)
        elif press.user != press.pressed.user:
            await self._tell(press, workspace, f"Only <@{press.pressed.user}>, who asked, can do that.")
        elif press.action == STOP:
            await self._stop(press, workspace)
        elif press.action == FEEDBACK:
            await self._rate(press, workspace)
        elif press.action.startswith(CHOICE):
            await self._choose(press, workspace, enterprise)

    async def _stop(self, press: Press, workspace: Workspace) -> None:
        try:
            await self._runs.cancel(press.pressed.run, owner_of(workspace.team, press.user))
        except UnknownRun:
            await self._tell(press, workspace, "That answer has ended already.")

    async def _harder(self, press: Press, workspace: Workspace, enterprise: str | None) -> None:
        question = Question(
            enterprise=enterprise,
            team=workspace.team,
            channel=press.channel,
            place="direct" if press.direct else "channel",
            user=press.user,
            ts=press.message,
            thread=press.thread,
            harder_than=press.pressed.run,
            asked_by=press.pressed.user,
        )
        if self._desk.full:
            await self._tell(press, workspace, "Too many questions are being answered; try again in a minute.")
        else:
            await self._desk.take(question.key, question)  # a second press finds the question taken in

    async def _rate(self, press: Press, workspace: Workspace) -> None:
        good = press.pressed.choice == "up"
        try:
            await self._feedback(press.pressed.run, owner_of(workspace.team, press.user), good)
        except UnknownRun:
            await self._tell(press, workspace, "That answer is too old to be rated.")
            return
        await self._tell(press, workspace, "Thank you, that was noted." if good else "Noted; thank you for saying so.")

    async def _choose(self, press: Press, workspace: Workspace, enterprise: str | None) -> None:
        """Say in the thread what was chosen, and take it as the asker's reply."""
        if not await self._inbox.first(f"choice:{press.pressed.run}"):
            return
        text = escaped(press.pressed.choice)
        place = Place(self._clients.of(workspace.token), workspace, press.channel, press.thread, press.user)
        ts = await place.post(f"<@{press.user}>: {text}", metadata=choice_metadata(press.user, press.pressed.choice))
        question = Question(
            enterprise=enterprise,
            team=workspace.team,
            channel=press.channel,
            place="direct" if press.direct else "channel",
            user=press.user,
            ts=ts,
            thread=press.thread,
            text=text,
        )
        await self._inbox.is_reply(question)  # the question is answered: talk in the thread is between people again
        await self._desk.take(f"{press.pressed.run}:{time.time_ns()}", question)

    async def _tell(self, press: Press, workspace: Workspace, text: str) -> None:
        """A note that only whoever pressed the button sees."""
        with suppress(SlackApiError, *NETWORK_ERRORS):
            await self._clients.of(workspace.token).chat_postEphemeral(
                channel=press.channel, user=press.user, thread_ts=press.thread, text=text
            )
