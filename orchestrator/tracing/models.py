"""Models whose every call is a span."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from orchestrator.tracing.spans import CANCELLED, MODEL, OPERATION, PROVIDER, counted, failed, known
from workers.collaboration.protocol import (
    Collaboration,
    CollaborationEvent,
    CollaborationFinish,
    CollaborationRequest,
    Written,
)
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard

_FIRST_TOKEN = "first token"


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
        begun = over = False
        try:
            async with aclosing(self._inner.generate(request)) as stream:
                async for event in stream:
                    if isinstance(event, Finish):
                        _finished(span, event)
                        over = True
                    elif not begun:
                        begun = True
                        span.add_event(_FIRST_TOKEN)
                    yield event
            over = True
        except Exception as error:
            failed(span, error)
            over = True
            raise
        finally:
            if not over:
                span.set_attribute(CANCELLED, True)
            span.end()

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
        begun = over = False
        try:
            async with aclosing(self._inner.write(request)) as events:
                async for event in events:
                    if isinstance(event, CollaborationFinish):
                        span.set_attribute("gen_ai.response.finish_reasons", [event.reason])
                        counted(span, event.usage.values())
                        over = True
                    elif isinstance(event, Written) and not begun:
                        begun = True
                        span.add_event(_FIRST_TOKEN)
                    yield event
            over = True
        except Exception as error:
            failed(span, error)
            over = True
            raise
        finally:
            if not over:
                span.set_attribute(CANCELLED, True)
            span.end()


def _finished(span: Span, finish: Finish) -> None:
    span.set_attribute("gen_ai.response.finish_reasons", [finish.reason])
    counted(span, [finish.usage])
