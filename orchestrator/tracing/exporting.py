"""Where spans go: in batches, in the background, to the collector that the settings name."""

import asyncio
from collections.abc import Callable

from opentelemetry.trace import Tracer, TracerProvider

from orchestrator.settings_observability import ObservabilitySettings

_EXPORT_SECONDS = 5
_FLUSH_MILLISECONDS = 3000


class TracingUnavailable(Exception):
    """Traces are asked for, and what sends them is not installed; the message says how to install it."""


class Tracing:
    """What makes spans, until ``aclose`` has sent the last of them; ``end`` does that, and may take seconds."""

    def __init__(self, provider: TracerProvider, end: Callable[[], None]) -> None:
        self.provider = provider
        self._end = end

    def tracer(self) -> Tracer:
        return self.provider.get_tracer("tandem")

    async def aclose(self) -> None:
        await asyncio.to_thread(self._end)


def open_tracing(settings: ObservabilitySettings) -> Tracing | None:
    """None where the settings name no collector; one that is away costs its spans only. Raises
    ``TracingUnavailable``."""
    if not settings.endpoint:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider as Provider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise TracingUnavailable(
            f"traces are to go to {settings.endpoint}, but {error.name} is missing: install the extra with "
            "`pip install 'tandem[otel]'`, or leave `endpoint` under [observability] out"
        ) from error
    provider = Provider(
        resource=Resource.create({"service.name": settings.service}),
        sampler=ParentBased(TraceIdRatioBased(settings.sample)),
        # The gateway has an end of its own, at which it waits for this.
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=settings.endpoint, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))

    def end() -> None:
        provider.force_flush(_FLUSH_MILLISECONDS)
        provider.shutdown()

    return Tracing(provider, end)
