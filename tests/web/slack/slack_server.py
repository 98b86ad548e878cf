"""A server that speaks Slack's side for tests: Web API, Socket Mode, and what its deliveries say.

What it takes is parsed with slack_sdk's own models, so that a block or chunk that Slack would refuse fails here.
"""

import itertools
import json
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web
from slack_sdk.models.blocks import Block
from slack_sdk.models.messages.chunk import BlocksChunk, Chunk, MarkdownTextChunk, TaskUpdateChunk

from tests.web.slack.posted import Json, Posted

TEAM = "T0TEAM"
BOT_USER = "U0BOT"
BOT = "B0BOT"
TOKEN = "xoxb-test"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
_ROOM = 12_000

Failure = Callable[[Json], web.Response | None]


class SlackServer:
    """One workspace. ``calls`` are the methods called, in order; ``refuse`` makes them fail."""

    def __init__(self) -> None:
        self.url = ""
        self.messages: dict[tuple[str, str], Posted] = {}
        self.calls: list[tuple[str, Json, float]] = []
        self.notes: list[Json] = []
        self.statuses: list[Json] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.tokens = {TOKEN: TEAM}
        self.acknowledged: list[str] = []
        self.connections = 0
        self._failures: dict[str, deque[Failure]] = defaultdict(deque)
        self._clock = itertools.count(1)
        self._events = itertools.count(1)
        self._sockets: list[web.WebSocketResponse] = []

    # ---- what tests do ----------------------------------------------------------------------------------------------

    def refuse(self, method: str, error: str, times: int = 1) -> None:
        """The next calls of a method are answered with that error."""
        self._failures[method].extend([lambda _: web.json_response({"ok": False, "error": error})] * times)

    def limit(self, method: str, retry_after: int, times: int = 1) -> None:
        """The next calls of a method are answered 429."""

        def limited(_: Json) -> web.Response:
            headers = {"retry-after": str(retry_after)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)

        self._failures[method].extend([limited] * times)

    def say(
        self, text: str, *, channel: str = "D1", user: str = "U1", thread: str | None = None, ts: str | None = None,
        files: tuple[Json, ...] = (), **more: Any,
    ) -> Json:  # fmt: skip
        """A person writes; returns the event for it, which is yet to be delivered."""
        ts = ts or self._time()
        self.messages[channel, ts] = Posted(channel, ts, thread or ts, user, text, files=list(files))
        event = {"type": "message", "channel": channel, "user": user, "text": text, "ts": ts, "event_ts": ts}
        event["channel_type"] = {"D": "im", "C": "channel", "G": "mpim"}[channel[0]]
        if thread:
            event["thread_ts"] = thread
        if files:
            event |= {"subtype": "file_share", "files": list(files)}
        return event | more

    def share(self, name: str, data: bytes, media_type: str = "text/plain", **more: Any) -> Json:
        """A file in Slack, as a message describes it."""
        self.files[name] = (media_type, data)
        url = f"{self.url}/files/{name}"
        described = {"id": f"F{len(self.files)}", "name": name, "mimetype": media_type, "size": len(data)}
        return described | {"mode": "hosted", "url_private": url, "url_private_download": url} | more

    def envelope(self, event: Json, event_id: str | None = None, team: str = TEAM) -> Json:
        return {
            "type": "event_callback",
            "token": "unused",
            "team_id": team,
            "api_app_id": "A1",
            "event": event,
            "event_id": event_id or f"Ev{next(self._events)}",
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
        }

    def press(self, message: Posted, action: str, user: str = "U1", value: str | None = None) -> Json:
        """What Slack sends when somebody presses a button."""
        button = message.button(action)
        pressed = {"type": button["type"], "action_id": action, "action_ts": self._time()}
        pressed["value"] = value or button["value"]
        return {
            "type": "block_actions",
            "team": {"id": TEAM, "domain": "test"},
            "user": {"id": user, "team_id": TEAM},
            "api_app_id": "A1",
            "trigger_id": "1.2.3",
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "channel": {"id": message.channel, "name": "somewhere"},
            "message": {"type": "message", "ts": message.ts, "thread_ts": message.thread, "user": BOT_USER},
            "response_url": f"{self.url}/response",
            "actions": [pressed],
        }

    def answers(self, thread: str, channel: str = "D1") -> list[Posted]:
        """The bot's answers in a thread, in their order."""
        return [
            message
            for message in self.messages.values()
            if message.author == BOT_USER
            and message.thread == thread
            and message.channel == channel
            and not message.deleted
            and not any(
                block.get("type") == "actions" and "tandem_stop" in json.dumps(block) for block in message.blocks
            )
        ]

    def counted(self, method: str) -> int:
        return sum(name == method for name, _, _ in self.calls)

    def counts(self) -> Counter[str]:
        return Counter(name for name, _, _ in self.calls)

    async def send_through_sockets(self, kind: str, payload: Json) -> str:
        """Send a request through Socket Mode; returns its envelope id, by which it is acknowledged."""
        envelope = f"env-{next(self._events)}"
        message = {"type": kind, "envelope_id": envelope, "payload": payload, "accepts_response_payload": False}
        await self._sockets[-1].send_json(message)
        return envelope

    async def drop_socket(self) -> None:
        """What Slack does every few hours: it says that the connection ends, and ends it."""
        socket = self._sockets.pop()
        await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})

    # ---- the Web API ------------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        given: Json = dict(request.query)
        if request.method == "POST":
            given |= await request.json() if request.content_type == "application/json" else dict(await request.post())
        self.calls.append((method, given, time.monotonic()))
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or given.get("token", "")
        handler = getattr(self, method.replace(".", "_").lower(), None)
        if handler is None:
            return web.json_response({"ok": False, "error": "unknown_method"})
        if method not in ("apps.connections.open", "oauth.v2.access") and token not in self.tokens:
            return web.json_response({"ok": False, "error": "invalid_auth"})
        if self._failures[method]:
            failed = self._failures[method].popleft()(given)
            if failed is not None:
                return failed
        try:
            found: Json = await handler(given)
        except _Refused as refused:
            return web.json_response({"ok": False, "error": str(refused)})
        return web.json_response({"ok": True, **found})

    async def auth_test(self, given: Json) -> Json:
        return {"user_id": BOT_USER, "bot_id": BOT, "team_id": TEAM, "team": "Test", "url": "https://test.slack.com/"}

    async def chat_postmessage(self, given: Json) -> Json:
        message = self._new(given)
        self._fill(message, given)
        return {"ts": message.ts, "channel": message.channel}

    async def chat_update(self, given: Json) -> Json:
        message = self._of(given)
        if message.streaming:
            raise _Refused("streaming_state_conflict")
        self._fill(message, given)
        return {"ts": message.ts}

    async def chat_delete(self, given: Json) -> Json:
        self._of(given).deleted = True
        return {}

    async def chat_postephemeral(self, given: Json) -> Json:
        self.notes.append(given)
        return {"message_ts": self._time()}

    async def chat_startstream(self, given: Json) -> Json:
        if not given.get("thread_ts"):
            raise _Refused("invalid_thread_ts")
        if not given["channel"].startswith("D") and not (
            given.get("recipient_user_id") and given.get("recipient_team_id")
        ):
            raise _Refused("missing_recipient_user_id")
        message = self._new(given)
        message.streaming = True
        self._grow(message, given)
        return {"ts": message.ts, "channel": message.channel}

    async def chat_appendstream(self, given: Json) -> Json:
        self._grow(self._streaming(given), given)
        return {"ts": given["ts"], "channel": given["channel"]}

    async def chat_stopstream(self, given: Json) -> Json:
        message = self._streaming(given)
        self._grow(message, given)
        message.streaming = False
        message.blocks = _blocks(given.get("blocks"))
        message.metadata = given.get("metadata")
        return {"ts": message.ts, "channel": message.channel}

    async def assistant_threads_setstatus(self, given: Json) -> Json:
        self.statuses.append(given)
        return {}

    async def assistant_threads_setsuggestedprompts(self, given: Json) -> Json:
        self.notes.append(given)
        return {}

    async def conversations_replies(self, given: Json) -> Json:
        thread = [
            message
            for message in self.messages.values()
            if message.channel == given["channel"] and message.thread == given["ts"] and not message.deleted
        ]
        latest = float(given.get("latest", "inf"))
        thread = sorted((m for m in thread if float(m.ts) < latest), key=lambda message: float(message.ts))
        start, limit = int(given.get("cursor") or 0), int(given.get("limit", 1000))
        more = str(start + limit) if len(thread) > start + limit else ""
        found = [_as_message(message) for message in thread[start : start + limit]]
        return {"messages": found, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    async def apps_connections_open(self, given: Json) -> Json:
        return {"url": self.url.replace("http", "ws") + "/link"}

    async def oauth_v2_access(self, given: Json) -> Json:
        if given.get("code") != "good":
            raise _Refused("invalid_code")
        self.tokens["xoxb-other"] = "T0OTHER"
        return {
            "access_token": "xoxb-other",
            "token_type": "bot",
            "scope": "chat:write",
            "bot_user_id": BOT_USER,
            "app_id": "A1",
            "team": {"name": "Other", "id": "T0OTHER"},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": "U9"},
        }

    async def file(self, request: web.Request) -> web.Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return web.Response(text="<html>sign in</html>", content_type="text/html")
        media_type, data = self.files[request.match_info["name"]]
        return web.Response(body=data, content_type=media_type)

    # ---- Socket Mode ------------------------------------------------------------------------------------------------

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self._sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                self.acknowledged.append(json.loads(message.data)["envelope_id"])
        return socket

    # ---- below ------------------------------------------------------------------------------------------------------

    def _time(self) -> str:
        return f"1700000000.{next(self._clock):06d}"

    def _new(self, given: Json) -> Posted:
        ts = self._time()
        message = Posted(given["channel"], ts, given.get("thread_ts") or ts, BOT_USER)
        self.messages[given["channel"], ts] = message
        return message

    def _of(self, given: Json) -> Posted:
        message = self.messages.get((given["channel"], given["ts"]))
        if message is None or message.deleted:
            raise _Refused("message_not_found")
        return message

    def _streaming(self, given: Json) -> Posted:
        message = self._of(given)
        if not message.streaming:
            raise _Refused("message_not_in_streaming_state")
        return message

    def _grow(self, message: Posted, given: Json) -> None:
        for raw in given.get("chunks") or ():
            chunk = Chunk.parse(raw)
            if isinstance(chunk, MarkdownTextChunk):
                if len(chunk.text) > _ROOM:
                    raise _Refused("msg_too_long")
                message.text += chunk.text
            elif isinstance(chunk, TaskUpdateChunk):
                message.tasks[chunk.id] = chunk
            elif isinstance(chunk, BlocksChunk):
                _blocks([block for block in chunk.blocks if isinstance(block, dict)])
            else:
                raise _Refused("invalid_chunks")

    def _fill(self, message: Posted, given: Json) -> None:
        blocks = _blocks(given.get("blocks"))
        shown = [str(block["text"]) for block in blocks if block["type"] == "markdown"]
        message.text = "\n".join(shown) if shown else str(given.get("text", ""))
        message.blocks = blocks
        message.metadata = given.get("metadata")
        for block in blocks:
            for card in block.get("tasks", ()):
                message.tasks[card["task_id"]] = TaskUpdateChunk(
                    id=card["task_id"], title=card["title"], status=card["status"]
                )


class _Refused(Exception):
    pass


def _blocks(given: Any) -> list[Json]:
    """Blocks that Slack would take. Raises for others."""
    for raw in given or ():
        block = Block.parse(raw)
        if block is None:
            raise _Refused("invalid_blocks")
        block.validate_json()
    return list(given or ())


def _as_message(message: Posted) -> Json:
    own = {"bot_id": BOT} if message.author == BOT_USER else {}
    found = {"type": "message", "user": message.author, "ts": message.ts, "text": message.text, **own}
    if message.metadata:
        found["metadata"] = message.metadata
    if message.files:
        found |= {"files": message.files, "subtype": "file_share"}
    return found | {"thread_ts": message.thread}


@asynccontextmanager
async def slack_server() -> AsyncIterator[SlackServer]:
    """A server on a free port of this machine."""
    server = SlackServer()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", server.handle)
    app.router.add_get("/files/{name}", server.file)
    app.router.add_get("/link", server.link)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [port] = [address[1] for address in runner.addresses]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
