"""What the bot does with each request from Slack, before it says that it has it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from slack_bolt.async_app import AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore

from web.slack.buttons import Buttons, Press
from web.slack.desk import Desk
from web.slack.errands import Errands
from web.slack.intake import Intake
from web.slack.web_api import NETWORK_ERRORS, Clients
from web.slack.workspaces import Workspace, Workspaces

_WORKSPACE = "tandem_workspace"
_PROMPTS = (
    ("Work something out", "A train covers 150 km in 2.5 hours. How many km does it cover in 7 hours?"),
    ("Explain code", "Explain what this function does, and where it can go wrong:"),
    ("Compare", "Compare two ways to do this, and say which one you would take:"),
)


class NotAuthorized(Exception):
    """Slack did not say who the bot is; the request is to be sent again."""


def authorization(workspaces: Workspaces) -> Callable[..., Awaitable[AuthorizeResult]]:
    """Tells Bolt under which installation a request is served; where there is none it goes no further."""

    async def authorize(
        context: AsyncBoltContext, enterprise_id: str | None, team_id: str | None
    ) -> AuthorizeResult | None:
        try:
            workspace = await workspaces.find(enterprise_id, team_id)
        except SlackApiError as error:
            # Bolt would take Slack's refusal for a request that is done with.
            raise NotAuthorized(str(error)) from error
        if workspace is None:
            return None
        context[_WORKSPACE] = workspace
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=workspace.token,
            bot_id=workspace.bot_id,
            bot_user_id=workspace.bot_user,
        )

    # None is allowed, but left out of the annotation of Bolt's parameter.
    return cast(Callable[..., Awaitable[AuthorizeResult]], authorize)


class Reception:
    """A request is acknowledged once what it asks for is safe in Redis or under way, and never later than that.

    Where there is no room for it Slack is told to send it again.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        desk: Desk,
        buttons: Buttons,
        errands: Errands,
        clients: Clients,
        installations: AsyncInstallationStore | None,
    ) -> None:
        self._intake = intake
        self._desk = desk
        self._buttons = buttons
        self._errands = errands
        self._clients = clients
        self._installations = installations

    async def receive(self, body: Mapping[str, Any], context: AsyncBoltContext) -> BoltResponse:
        """Bolt's last middleware: nothing comes after it."""
        workspace = context.get(_WORKSPACE)
        if body.get("type") == "event_callback":
            return await self._event(body, body.get("event") or {}, workspace, context)
        if body.get("type") == "block_actions" and isinstance(workspace, Workspace):
            return self._pressed(body, workspace, context.enterprise_id)
        return _received()

    async def _event(
        self,
        body: Mapping[str, Any],
        event: Mapping[str, Any],
        workspace: Workspace | None,
        context: AsyncBoltContext,
    ) -> BoltResponse:
        kind = event.get("type")
        if kind in ("app_uninstalled", "tokens_revoked"):
            await self._gone(str(kind), event, context)
        elif workspace is None:
            return _received()
        elif kind == "assistant_thread_started":
            if self._errands.full:
                return _send_again()
            self._errands.run(self._greet(event, workspace))
        elif kind in ("message", "app_mention"):
            question = await self._intake.question(event, workspace, context.enterprise_id)
            if question is not None:
                if self._desk.full:
                    return _send_again()
                await self._desk.take(str(body.get("event_id") or question.key), question)
        return _received()

    def _pressed(self, body: Mapping[str, Any], workspace: Workspace, enterprise: str | None) -> BoltResponse:
        press = Press.read(body)
        if press is None:
            return _received()
        if self._errands.full:
            return _send_again()
        self._errands.run(self._buttons.press(press, workspace, enterprise))
        return _received()

    async def _greet(self, event: Mapping[str, Any], workspace: Workspace) -> None:
        """Offer something to begin with in a new assistant thread."""
        thread = event.get("assistant_thread") or {}
        prompts = [{"title": title, "message": message} for title, message in _PROMPTS]
        with suppress(SlackApiError, *NETWORK_ERRORS):
            await self._clients.of(workspace.token).assistant_threads_setSuggestedPrompts(
                channel_id=str(thread.get("channel_id", "")),
                thread_ts=str(thread.get("thread_ts", "")),
                title="What shall we work out?",
                prompts=prompts,
            )

    async def _gone(self, kind: str, event: Mapping[str, Any], context: AsyncBoltContext) -> None:
        """The bot was removed from a workspace: its token is forgotten."""
        store, where = self._installations, {"enterprise_id": context.enterprise_id, "team_id": context.team_id}
        if store is None:
            return
        tokens = event.get("tokens") or {}
        if kind == "app_uninstalled":
            await store.async_delete_all(**where)
        elif tokens.get("bot"):
            await store.async_delete_bot(**where)
        for user in tokens.get("oauth") or ():
            await store.async_delete_installation(**where, user_id=str(user))


def _received() -> BoltResponse:
    return BoltResponse(status=200, body="")


def _send_again() -> BoltResponse:
    return BoltResponse(status=503, body="")
