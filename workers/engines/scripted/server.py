"""Runs the scripted engine: in a thread of this process for tests, or as a process of its own."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn

from workers.engines.scripted.app import ScriptedApp
from workers.engines.scripted.script import Script
from workers.engines.scripted.state import Stats

_START_SECONDS = 10.0


def listen(port: int = 0) -> socket.socket:
    """A listening socket on the loopback interface; port 0 lets the system choose."""
    # With the protocol named asyncio switches Nagle's algorithm off, which would hold small events back for 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(512)
    return listening


async def serve(script: Script, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    await _server(ScriptedApp(script)).serve(sockets=[listening])


def _server(app: ScriptedApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config)


class ScriptedServer:
    """A context manager that serves ``script`` from a thread, on a port that the system picks.

    ``url`` and ``stats`` are valid inside the context; the script may be replaced while it serves.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._socket = listen()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scripted-engine", daemon=True)
        self._server: uvicorn.Server | None = None
        self._app: ScriptedApp | None = None
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def stats(self) -> Stats:
        return self._running().state.stats

    @property
    def script(self) -> Script:
        return self._running().state.script

    @script.setter
    def script(self, script: Script) -> None:
        self._running().state.script = script

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise RuntimeError(f"the scripted engine at {self.url} did not start within {_START_SECONDS} s")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(_START_SECONDS)
        self._socket.close()

    def _running(self) -> ScriptedApp:
        if self._app is None:
            raise RuntimeError("the scripted engine is not running; use it inside its `with` block")
        return self._app

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._app = ScriptedApp(self._script)
        self._server = _server(self._app)
        # The socket listens already, so requests that come before the loop accepts them wait in its backlog.
        self._started.set()
        await self._server.serve(sockets=[self._socket])
