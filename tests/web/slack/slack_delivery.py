"""Slack's deliveries to the bot, signed as Slack signs them."""

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from tests.web.slack.posted import Json
from tests.web.slack.slack_server import SECRET, TEAM, SlackServer


class Delivery:
    """Slack's deliveries to a gateway over HTTP, signed as Slack signs them."""

    def __init__(self, client: httpx.AsyncClient, server: SlackServer) -> None:
        self._client = client
        self._server = server

    async def event(self, event: Json, event_id: str | None = None, **more: Any) -> httpx.Response:
        return await self.post(self._server.envelope(event, event_id, more.pop("team", TEAM)), **more)

    async def post(self, body: Json, *, retry: int = 0, age: float = 0, secret: str = SECRET) -> httpx.Response:
        data = json.dumps(body)
        return await self._signed(data, "application/json", retry, age, secret)

    async def interaction(self, payload: Json) -> httpx.Response:
        data = urlencode({"payload": json.dumps(payload)})
        return await self._signed(data, "application/x-www-form-urlencoded", 0, 0, SECRET)

    async def _signed(self, data: str, kind: str, retry: int, age: float, secret: str) -> httpx.Response:
        timestamp = str(int(time.time() - age))
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=data)
        headers = {"content-type": kind, "x-slack-request-timestamp": timestamp, "x-slack-signature": signature or ""}
        if retry:
            headers |= {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"}
        return await self._client.post("/slack/events", content=data, headers=headers)


async def gone_through(calls: list[Awaitable[httpx.Response]]) -> list[int]:
    """The status codes of many deliveries at once."""
    return [response.status_code for response in await asyncio.gather(*calls)]
