"""``/slack/…`` on the gateway: there only where the settings turn the bot on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from fastapi import APIRouter
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.slack_readiness import slack_problems
from web.doors import Doors, doors_of
from web.errors import ApiError
from web.json_reading import read_bounded

router = APIRouter(include_in_schema=False)


class SlackDoor(Protocol):
    """What the bot answers with over HTTP."""

    async def event(self, request: Request, body: bytes) -> Response: ...

    async def install(self, request: Request) -> Response: ...


@asynccontextmanager
async def open_slack(doors: Doors, redis: Redis) -> AsyncIterator[SlackDoor | None]:
    """Start the bot; None, with a line in the log for everything that is missing, where it is on but cannot start."""
    settings = doors.settings.slack
    problems = slack_problems(settings) if settings.enabled else []
    for problem in problems:
        doors.log.error("slack bot not started", problem=problem)
    if problems or not settings.enabled:
        yield None
        return
    # Slack's libraries are an extra, which need not be installed where the bot is off.
    from web.slack.door import open_door

    async with open_door(doors, redis) as door:
        yield door


@router.post("/slack/events", response_model=None)
async def events(request: Request) -> Response:
    """Events, interactions and the check of the address, all signed by Slack."""
    door = _door(request)
    body = await read_bounded(request, doors_of(request).settings.gateway.body_bytes)
    return await door.event(request, body)


@router.get("/slack/install", response_model=None)
@router.get("/slack/oauth_redirect", response_model=None)
async def install(request: Request) -> Response:
    """The installation of the bot in a workspace."""
    return await _door(request).install(request)


def _door(request: Request) -> SlackDoor:
    door: SlackDoor | None = getattr(request.app.state, "slack", None)
    if door is None:
        raise ApiError(404, "the Slack bot is off; set `enabled = true` under [slack] in tandem.toml", code="not_found")
    return door
