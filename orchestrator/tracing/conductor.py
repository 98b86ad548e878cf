"""Runs as spans: around the conductor, around the controller's nodes, and around every model that a run is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any

from langgraph.errors import GraphBubbleUp
from opentelemetry.trace import Tracer

from orchestrator.conducting import Conductor, Node
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.state import RunContext, RunState
from orchestrator.tracing.models import TracedCollaboration, TracedModel
from orchestrator.tracing.spans import MODEL, OPERATION, ROUTE, RUN, counted, telling_faults
from routers.route import Decision

_NAME = "invoke_agent tandem"


class TracedConductor:
    """Wraps a ``Conductor``. ``providers`` says by model's name what serves it."""

    def __init__(self, conductor: Conductor, tracer: Tracer, providers: Mapping[str, str]) -> None:
        self._conductor = conductor
        self._tracer = tracer
        self._providers = providers

    async def run(self, request: RunRequest, context: RunContext) -> RunState:
        asked = {MODEL: request.model, "tandem.effort": request.effort or "default"}
        return await self._traced(context, asked, lambda traced: self._conductor.run(request, traced))

    async def resume(self, context: RunContext) -> RunState:
        return await self._traced(context, {"tandem.resumed": True}, self._conductor.resume)

    async def checkpointed(self, run: str) -> bool:
        return await self._conductor.checkpointed(run)

    async def decide(self, request: RunRequest) -> Decision:
        return await self._conductor.decide(request)

    async def _traced(
        self,
        context: RunContext,
        asked: Mapping[str, str | bool],
        work: Callable[[RunContext], Awaitable[RunState]],
    ) -> RunState:
        attributes = {OPERATION: "invoke_agent", "gen_ai.agent.name": "tandem", RUN: context.run, **asked}
        with self._tracer.start_as_current_span(
            _NAME, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                with telling_faults(span):
                    state = await work(self._with_traced_models(context))
                    span.set_attribute(ROUTE, state["decision"].route.name)
                    return state
            finally:
                counted(span, context.ledger.summary().tokens.values())

    def _with_traced_models(self, context: RunContext) -> RunContext:
        models = {
            name: TracedModel(model, self._tracer, self._providers[name]) for name, model in context.models.items()
        }
        together = context.collaboration
        if together is not None:
            together = TracedCollaboration(together, self._tracer)
        return replace(context, models=models, collaboration=together)


class TracedNodes:
    """Wraps the controller's nodes: each is a span of its own while it runs."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def __call__(self, name: str, node: Node) -> Node:
        @wraps(node)
        async def traced(*arguments: Any, **named: Any) -> RunState:
            with (
                self._tracer.start_as_current_span(
                    name, attributes={"tandem.node": name}, record_exception=False, set_status_on_exception=False
                ) as span,
                telling_faults(span, but=(GraphBubbleUp,)),
            ):  # how a node stops to ask
                return await node(*arguments, **named)

        return traced


def traced(conductor: Conductor, settings: Settings, tracer: Tracer) -> Conductor:
    """The conductor of a server with these settings, with its runs as spans."""
    providers = {
        name: model.engine.kind if model.engine.kind != "litellm" else model.engine.provider_model.partition("/")[0]
        for name, model in settings.models.items()
    }
    return TracedConductor(conductor, tracer, providers)
