"""Models whose every call is a span."""

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager

from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from orchestrator.tracing.spans import CANCELLED, MODEL, OPERATION, PROVIDER, counted, known, telling_faults
from workers.collaboration.protocol import (
    Collaboration,
    CollaborationEvent,
    CollaborationFinish,
    CollaborationRequest,
    Written,
)
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard
from workers.usage import Usage

_FIRST_TOKEN = "first token"


class _Call:
    """The span of one call, which may be closed before it is over: then it was cancelled."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._begun = self._over = False

    def begins(self) -> None:
        if not self._begun:
            self._begun = True
            self._span.add_event(_FIRST_TOKEN)

    def ends(self, reason: str, usages: Iterable[Usage]) -> None:
        self._over = True
        self._span.set_attribute("gen_ai.response.finish_reasons", [reason])
        counted(self._span, usages)

    @contextmanager
    def watched(self) -> Iterator[None]:
        try:
            with telling_faults(self._span):
                yield
            self._over = True
        except Exception:  # a fault has been told and is no cancellation
            self._over = True
            raise
        finally:
            if not self._over:
                self._span.set_attribute(CANCELLED, True)
            self._span.end()


class TracedModel:
    """Wraps a model of one run; ``provider`` says what serves it. The span includes the wait for the processor."""

    def __init__(self, inner: ChatModel, tracer: Tracer, provider: str) -> None:
        self._inner = inner
        self._tracer = tracer
        self._provider = provider

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        # Not the current span of a generator: that would become its reader's as well.
        span = self._tracer.start_span(f"chat {self.card.name}", kind=SpanKind.CLIENT, attributes=self._asked(request))
        call = _Call(span)
        with call.watched():
            async with aclosing(self._inner.generate(request)) as stream:
                async for event in stream:
                    if isinstance(event, Finish):
                        call.ends(event.reason, [event.usage])
                    else:
                        call.begins()
                    yield event

    def _asked(self, request: ChatRequest) -> dict[str, AttributeValue]:
        sampling = request.sampling
        wanted: dict[str, AttributeValue | None] = {
            OPERATION: "chat",
            PROVIDER: self._provider,
            MODEL: self.card.name,
            "gen_ai.request.max_tokens": sampling.max_tokens,
            "gen_ai.request.temperature": sampling.temperature,
            "gen_ai.request.top_p": sampling.top_p,
            "gen_ai.request.seed": sampling.seed,
            "gen_ai.output.type": None if sampling.json_schema is None else "json",
        }
        return known(wanted)


class TracedCollaboration:
    """Wraps a collaboration: one answer that two models write is one span, however often they take turns."""

    def __init__(self, inner: Collaboration, tracer: Tracer) -> None:
        self._inner = inner
        self._tracer = tracer

    async def write(self, request: CollaborationRequest) -> AsyncGenerator[CollaborationEvent, None]:
        attributes: dict[str, AttributeValue] = {
            OPERATION: "chat",
            PROVIDER: "tandem",
            MODEL: f"{request.small}+{request.large}",
            "tandem.policy": request.policy,
            "gen_ai.request.max_tokens": request.sampling.max_tokens,
        }
        span = self._tracer.start_span(f"chat {request.policy}", kind=SpanKind.CLIENT, attributes=attributes)
        call = _Call(span)
        with call.watched():
            async with aclosing(self._inner.write(request)) as events:
                async for event in events:
                    if isinstance(event, CollaborationFinish):
                        call.ends(event.reason, event.usage.values())
                    elif isinstance(event, Written):
                        call.begins()
                    yield event
