"""Which workspaces the bot is in, and as whom."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore

from web.slack.web_api import Clients


@dataclass(frozen=True, slots=True)
class Workspace:
    """An installation of the bot. ``team`` is the organisation's id where the bot is installed for all of it."""

    team: str
    token: str
    bot_id: str
    bot_user: str


class Workspaces(Protocol):
    async def find(self, enterprise: str | None, team: str | None) -> Workspace | None:
        """The installation that serves a team; None where there is none."""
        ...


class OneWorkspace:
    """The workspace of one bot token. Slack is asked once who the bot is."""

    def __init__(self, clients: Clients, token: str) -> None:
        self._clients = clients
        self._token = token
        self._asking = asyncio.Lock()
        self._bot: tuple[str, str] | None = None

    async def find(self, enterprise: str | None, team: str | None) -> Workspace | None:
        """Raises ``SlackApiError`` where the token is not in force."""
        async with self._asking:
            if self._bot is None:
                answer = await self._clients.of(self._token).auth_test()
                self._bot = (str(answer["bot_id"]), str(answer["user_id"]))
        return Workspace(team or enterprise or "", self._token, *self._bot)


class InstalledWorkspaces:
    """The workspaces that installed the bot through OAuth."""

    def __init__(self, store: AsyncInstallationStore) -> None:
        self._store = store

    async def find(self, enterprise: str | None, team: str | None) -> Workspace | None:
        bot = await self._store.async_find_bot(enterprise_id=enterprise, team_id=team)
        if bot is None and enterprise is not None:
            bot = await self._store.async_find_bot(enterprise_id=enterprise, team_id=team, is_enterprise_install=True)
        if bot is None or not bot.bot_token:
            return None
        return Workspace(team or enterprise or "", bot.bot_token, bot.bot_id, bot.bot_user_id)
