"""Slack's Web API within its rate limits: every call of a workspace passes one gate."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from web.slack.quiet import slack_logger

APPEND = "chat.appendStream"
UPDATE = "chat.update"
# Seconds between two calls of a method in one workspace. Slack allows about a hundred appends and fifty updates a
# minute there, shared by all threads; text that waits for its turn gathers and goes out in one piece.
_SPACING: Mapping[str, float] = MappingProxyType({APPEND: 0.6, UPDATE: 1.2})
# After a refusal the calls that waited go out one by one, else the next of them is refused as well.
_CROWD_SPACING = 0.25
_CROWD_SECONDS = 60.0
_PATIENCE_SECONDS = 600.0
_DEFAULT_RETRY_SECONDS = 5.0
_CLIENTS = 256
_TIMEOUT_SECONDS = 30

# What a call may raise when it is not Slack's answer but the way to it that failed.
NETWORK_ERRORS = (aiohttp.ClientError, TimeoutError, SlackClientError)


class Gate:
    """When each method may be called next, in one workspace. Times are monotonic seconds."""

    def __init__(self, spacing: Mapping[str, float] = _SPACING) -> None:
        self._spacing = spacing
        self._next: dict[str, float] = {}
        self._closed: dict[str, float] = {}

    def reserve(self, method: str) -> float:
        """Take the method's next turn and return the seconds until it."""
        now = time.monotonic()
        closed = self._closed.get(method, 0.0)
        turn = max(now, closed, self._next.get(method, now))
        spacing = self._spacing.get(method, 0.0)
        if now < closed + _CROWD_SECONDS:
            spacing = max(spacing, _CROWD_SPACING)
        if spacing:
            self._next[method] = turn + spacing
        return turn - now

    def close(self, method: str, seconds: float) -> None:
        """Slack refused the method; nobody calls it for that long."""
        self._closed[method] = max(time.monotonic() + seconds, self._closed.get(method, 0.0))

    def closed_for(self, method: str) -> float:
        return max(0.0, self._closed.get(method, 0.0) - time.monotonic())


class PacedClient(AsyncWebClient):
    """A Web API client that waits as long as Slack says (429 and Retry-After) and then calls again.

    Raises ``SlackApiError`` for every other refusal, and for this one after ten minutes.
    """

    def __init__(self, gate: Gate, **options: Any) -> None:
        super().__init__(**options)
        self.gate = gate

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        if api_method not in (APPEND, UPDATE):  # whoever writes text reserves its turn itself, and can change its mind
            await asyncio.sleep(self.gate.reserve(api_method))
        while True:
            if self.gate.closed_for(api_method) > 0:
                await asyncio.sleep(self.gate.reserve(api_method))
            try:
                return await super().api_call(api_method, **options)
            except SlackApiError as error:
                wait = retry_after(error)
                if wait is None or time.monotonic() + wait > deadline:
                    raise
                self.gate.close(api_method, wait)


class Clients:
    """One client a token, over one pool of connections; those unused for longest are forgotten."""

    def __init__(self, session: aiohttp.ClientSession, api_url: str) -> None:
        self._session = session
        self._api_url = api_url
        self._clients: OrderedDict[str, PacedClient] = OrderedDict()

    def of(self, token: str | None) -> PacedClient:
        key = token or ""
        client = self._clients.get(key)
        if client is None:
            client = PacedClient(
                Gate(),
                token=token,
                base_url=self._api_url,
                timeout=_TIMEOUT_SECONDS,
                session=self._session,
                logger=slack_logger(),
            )
            self._clients[key] = client
        self._clients.move_to_end(key)
        while len(self._clients) > _CLIENTS:
            self._clients.popitem(last=False)
        return client

    @property
    def session(self) -> aiohttp.ClientSession:
        return self._session


def open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS))


def error_of(error: SlackApiError) -> str:
    """Slack's name for what is wrong, such as ``channel_not_found``."""
    data = getattr(error.response, "data", None)
    return str(data.get("error", "unknown_error")) if isinstance(data, dict) else "unknown_error"


def retry_after(error: SlackApiError) -> float | None:
    """Seconds to wait if this is a rate limit, else None."""
    if getattr(error.response, "status_code", None) != 429 and error_of(error) != "ratelimited":
        return None
    headers = {name.lower(): value for name, value in dict(getattr(error.response, "headers", None) or {}).items()}
    given = str(headers.get("retry-after", ""))
    return float(given) if given.isdigit() else _DEFAULT_RETRY_SECONDS
