"""A local server that answers as SearXNG's JSON API does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Searched:
    """What it answers, and the queries it got."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    location: str = ""
    wait: threading.Event = field(default_factory=threading.Event)
    queries: list[dict[str, list[str]]] = field(default_factory=list)

    def finds(self, *results: dict[str, Any], **more: Any) -> None:
        answer = {"query": "", "number_of_results": 0, "results": list(results), "answers": [], "infoboxes": []}
        self.body = json.dumps({**answer, "suggestions": [], "unresponsive_engines": [], **more}).encode()


@contextmanager
def searxng() -> Iterator[Searched]:
    state = Searched()
    state.wait.set()
    state.finds()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path != "/search":
                self.send_error(404)
                return
            state.queries.append(parse_qs(asked.query))
            state.wait.wait(10)
            self.send_response(state.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(state.body)))
            if state.location:
                self.send_header("location", state.location)
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        state.wait.set()
        server.shutdown()
        thread.join()
        server.server_close()
