"""Traces of runs over a scripted engine, as a collector would get them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from orchestrator.compose import Tandem, open_tandem
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.tracing.exporting import Tracing
from tests.orchestrator.conftest import events_of, last_of
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

Requests = Callable[..., RunRequest]
SECRET = "xyzzy-4711"


@dataclass
class Traced:
    tandem: Tandem
    exporter: InMemorySpanExporter

    def spans(self, name: str) -> Sequence[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def only(self, name: str) -> ReadableSpan:
        [span] = self.spans(name)
        return span


@pytest.fixture
async def traced(settings: Settings, tmp_path: Path) -> AsyncIterator[Traced]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with open_tandem(settings, Tracing(provider, provider.shutdown)) as tandem:
        yield Traced(tandem, exporter)


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def identity(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


async def test_a_call_is_under_its_node_and_that_under_its_run(
    traced: Traced, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(default=say("Three fours make \\boxed{12}."))
    run = await traced.tandem.runs.start(request_for("What is 3 * 4?", model="cot"))
    last = last_of(await events_of(traced.tandem, run, owner))
    whole = traced.only("invoke_agent tandem")
    solve, [call] = traced.only("solve"), traced.spans("chat large")
    assert (parent(whole), parent(solve), parent(call)) == (None, identity(whole), identity(solve))
    for node in ("guard", "recall", "assess", "route", "verify", "learn"):
        assert parent(traced.only(node)) == identity(whole)
    assert whole.attributes is not None
    assert call.attributes is not None
    assert whole.attributes["tandem.run"] == run
    assert whole.attributes["tandem.route"] == "cot(large)"
    assert call.kind is SpanKind.CLIENT
    assert call.attributes["gen_ai.operation.name"] == "chat"
    assert call.attributes["gen_ai.provider.name"] == "llamacpp"
    assert call.attributes["gen_ai.request.model"] == "large"
    assert call.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    usage = last.ledger.tokens["large"]
    for span in (whole, call):
        assert span.attributes is not None
        assert span.attributes["gen_ai.usage.input_tokens"] == usage.prompt
        assert span.attributes["gen_ai.usage.output_tokens"] == usage.completion
    assert [event.name for event in call.events] == ["first token"]


async def test_what_passes_through_is_traced_too(
    traced: Traced, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(default=say("Hello."))
    await events_of(traced.tandem, await traced.tandem.runs.start(request_for("Hi!", model="small")), owner)
    assert parent(traced.only("chat small")) == identity(traced.only("solve"))
    assert parent(traced.only("solve")) == identity(traced.only("invoke_agent tandem"))


async def test_nobodys_words_leave_with_the_spans(
    traced: Traced, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(replies=(say(f"{SECRET} \\boxed{{12}}", match="3"),), default=say("", failure="refuse"))
    for question in (f"{SECRET}: what is 3 * 4?", f"{SECRET} away"):
        request = request_for(question, model="cot", stop=(SECRET * 2,), thread=None)
        await events_of(traced.tandem, await traced.tandem.runs.start(request), owner)
    spans = traced.exporter.get_finished_spans()
    assert len(traced.spans("invoke_agent tandem")) == 2
    assert not [span.name for span in spans if SECRET in span.to_json()]


async def test_a_fault_is_named_without_its_message(
    traced: Traced, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(default=say("", failure="unavailable"))
    events = await events_of(traced.tandem, await traced.tandem.runs.start(request_for("Hi!", model="large")), owner)
    assert last_of(events).status == "error"
    for name in ("chat large", "solve", "invoke_agent tandem"):
        span = traced.only(name)
        assert span.attributes is not None
        assert span.attributes["error.type"] == "EngineUnavailable"
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)


async def test_a_cancelled_call_says_so_and_is_no_fault(
    traced: Traced, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(default=say("on and on ", delay=0.02, endless=True))
    run = await traced.tandem.runs.start(request_for("Tell me a story.", model="large"))
    async for _, event in traced.tandem.runs.events(run, owner):
        if event.type == "content.delta":
            await traced.tandem.runs.cancel(run, owner)
            break
    async with asyncio.timeout(10):
        while not traced.spans("invoke_agent tandem"):
            await asyncio.sleep(0.02)
    call = traced.only("chat large")
    assert call.attributes is not None
    assert call.attributes["tandem.cancelled"] is True
    assert call.status.status_code is StatusCode.UNSET
