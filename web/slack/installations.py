"""Many workspaces: each installs the bot with OAuth, and its token is kept in the database."""

import secrets
from typing import Any
from urllib.parse import urljoin

from redis.asyncio import Redis
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from sqlalchemy.ext.asyncio import AsyncEngine

from web.slack.quiet import slack_logger
from web.slack.web_api import Clients

INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "chat:write",
    "files:read",
    "groups:history",
    "im:history",
    "mpim:history",
)
_STATE_SECONDS = 600


class States(AsyncOAuthStateStore):
    """The ``state`` values of installations under way, each good once and for ten minutes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        state = secrets.token_urlsafe(32)
        await self._redis.set(_key(state), 1, ex=_STATE_SECONDS)
        return state

    async def async_consume(self, state: str) -> bool:
        return bool(await self._redis.delete(_key(state)))


def installation_store(engine: AsyncEngine, client_id: str) -> AsyncSQLAlchemyInstallationStore:
    """Slack's own store over our database; the migrations make its tables."""
    return AsyncSQLAlchemyInstallationStore(client_id=client_id, engine=engine, logger=slack_logger())


def oauth_flow(
    *,
    clients: Clients,
    redis: Redis,
    store: AsyncSQLAlchemyInstallationStore,
    client_id: str,
    client_secret: str,
    api_url: str,
    redirect_url: str,
) -> AsyncOAuthFlow:
    """What answers at ``/slack/install`` and ``/slack/oauth_redirect``."""
    settings = AsyncOAuthSettings(
        client_id=client_id,
        client_secret=client_secret,
        scopes=SCOPES,
        user_scopes=(),
        redirect_uri=redirect_url or None,
        install_path=INSTALL_PATH,
        redirect_uri_path=REDIRECT_PATH,
        authorization_url=urljoin(api_url, "/oauth/v2/authorize"),
        installation_store=store,
        installation_store_bot_only=True,
        state_store=States(redis),
        state_expiration_seconds=_STATE_SECONDS,
        logger=slack_logger(),
    )
    return AsyncOAuthFlow(client=clients.of(None), logger=slack_logger(), settings=settings)


def _key(state: str) -> str:
    return f"tandem:{{slack}}:oauth:{state[:100]}"
