"""Traces from the door to the model, sent to a collector that speaks OTLP over HTTP."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from orchestrator.compose import open_tandem
from orchestrator.settings_file import load_settings
from orchestrator.tracing.exporting import open_tracing
from tests.web.conftest import ask, served
from web.gateway import create_app
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

SECRET = "xyzzy-4711"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector:
    def __init__(self, url: str) -> None:
        self.url = url
        self.services: set[str] = set()
        self.spans: list[Span] = []
        self.raw = b""

    def take(self, body: bytes) -> None:
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {item.key: item.value.string_value for item in resource.resource.attributes}
            self.services.add(named["service.name"])
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def only(self, name: str) -> Span:
        [span] = [span for span in self.spans if span.name == name]
        return span


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.take(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_request_goes_on_with_its_callers_trace(
    scripted: ScriptedServer, redis_url: str, tmp_path: Path
) -> None:
    scripted.script = Script(default=say(f"{SECRET} it is."))
    with collecting() as collector:
        settings = load_settings(
            environment={
                "TANDEM__STORAGE__DIRECTORY": str(tmp_path),
                "TANDEM__MODELS__SMALL__ENGINE__URL": scripted.url,
                "TANDEM__MODELS__LARGE__ENGINE__URL": scripted.url,
                "TANDEM__OBSERVABILITY__ENDPOINT": collector.url,
                "TANDEM__OBSERVABILITY__SERVICE": "tandem-under-test",
                "REDIS_URL": redis_url,
            }
        )
        tracing = open_tracing(settings.observability)
        app = create_app(settings, opener=partial(open_tandem, tracing=tracing), tracing=tracing)
        async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
            headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
            body = ask(f"Say {SECRET}.", model="small")
            answer = await client.post("/v1/chat/completions", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
        # The gateway has ended, and sent what it had.
        door, run, call = map(collector.only, ("POST /v1/chat/completions", "invoke_agent tandem", "chat small"))
    assert {span.trace_id.hex() for span in (door, run, call)} == {TRACE}
    assert run.parent_span_id == door.span_id
    assert collector.services == {"tandem-under-test"}
    assert SECRET.encode() not in collector.raw
