"""ASGI without a framework, for a short hot path: bodies, JSON answers, event streams that notice a lost client."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class ClientGone(Exception):
    """Control flow: the client closed its connection."""


class Refusal(Exception):
    """Answer with ``status`` and llama.cpp's error shape."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": status, "message": message, "type": kind}}


class BrokenOff(Exception):
    """Control flow: the script says that the connection breaks here."""


class Exchange:
    """One request and its answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._watch: asyncio.Task[None] | None = None

    async def json(self) -> dict[str, Any]:
        """The request's body, read to its end; from then on a disconnect raises ``ClientGone`` in ``event``."""
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                break
        self._watch = asyncio.create_task(self._until_gone())
        try:
            value = orjson.loads(b"".join(parts) or b"{}")
        except orjson.JSONDecodeError as error:
            raise Refusal(400, "invalid_request_error", f"the body is no JSON: {error}") from error
        if not isinstance(value, dict):
            raise Refusal(400, "invalid_request_error", "the body is no JSON object")
        return value

    async def answer(self, status: int, value: object) -> None:
        body = orjson.dumps(value)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def open_events(self) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def event(self, value: object) -> None:
        self.check()
        body = b"data: " + orjson.dumps(value) + b"\n\n"
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def close_events(self, last: bytes = b"") -> None:
        await self._send({"type": "http.response.body", "body": last})

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the client stays. Raises ``ClientGone``."""
        if seconds > 0 and self._watch is not None:
            await asyncio.wait((self._watch,), timeout=seconds)
        else:
            await asyncio.sleep(0)
        self.check()

    def check(self) -> None:
        if self._watch is not None and self._watch.done():
            raise ClientGone

    def finish(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
