"""A response of server-sent events whose writer says when it begins; it ends when the client goes."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.disconnect import unless_gone
from web.errors import internal

_SILENCE_SECONDS = 10.0
_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}


class Wire:
    """What a writer writes to. Several writers may share it: a line is never torn."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = asyncio.Lock()
        self._last = time.monotonic()
        self.begun = False

    async def begin(self, headers: Mapping[str, str], status: int = 200) -> None:
        """Send the status line and the headers; a second call changes nothing."""
        async with self._lock:
            if self.begun:
                return
            pairs = {"content-type": "text/event-stream; charset=utf-8", **_HEADERS, **headers}
            # Header values are Latin-1; a model's name in a route may not be.
            raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in pairs.items()]
            await self._send({"type": "http.response.start", "status": status, "headers": raw})
            self.begun = True

    async def write(self, data: bytes) -> None:
        """Waits while the client reads slower than this writes."""
        async with self._lock:
            self._last = time.monotonic()
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def keep_alive(self, comment: bytes) -> None:
        """Break every long silence, so that no proxy takes the connection for dead. Never returns."""
        while True:
            silent = time.monotonic() - self._last
            await asyncio.sleep(max(0.1, _SILENCE_SECONDS - silent))
            if self.begun and time.monotonic() - self._last >= _SILENCE_SECONDS:
                await self.write(comment)


class EventStream(Response):
    """Subclasses write in ``feed`` and clean up in ``closed``, which runs however the stream ended."""

    def __init__(self) -> None:
        super().__init__(media_type="text/event-stream")

    @abstractmethod
    async def feed(self, wire: Wire) -> None:
        """Begin the wire and write until the end. An ``ApiError`` raised before ``begin`` becomes the response."""

    async def closed(self) -> None:
        """Nobody reads any more, or everything was written."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await unless_gone(receive, self._run(Wire(send), scope["state"]["request_id"]))
        except ClientDisconnect:
            pass
        finally:
            await asyncio.shield(self.closed())

    async def _run(self, wire: Wire, request_id: str) -> None:
        alive = asyncio.create_task(wire.keep_alive(b": keep-alive\n\n"))
        try:
            await self.feed(wire)
            await wire.end()
        except Exception:  # whatever it is: it is told below and raised again
            # The status line may be out already: then the stream itself has to say that it is not complete.
            if wire.begun:
                await wire.write(b"data: %s\n\n" % internal(request_id).body())
                await wire.end()
            raise
        finally:
            alive.cancel()
            await asyncio.gather(alive, return_exceptions=True)
