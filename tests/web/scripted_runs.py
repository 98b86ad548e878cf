"""``Runs`` after a script: the last user message says what happens, so that a test says what it expects."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from agents.events import (
    Assessed,
    ContentDelta,
    Event,
    QuestionAsked,
    Queued,
    ReasoningDelta,
    Routed,
    RunFinished,
    RunStarted,
    StepFinished,
    ToolCalls,
)
from orchestrator.runs import Busy, ModelOffer, RunRecord, RunRefused, RunRequest, UnknownRun
from orchestrator.storage.database import Database
from routers.route import Decision, Estimate, Route
from workers.ledger import LedgerSummary
from workers.usage import Usage

ROUTE = Route(strategy="cot", models=("small",))
LEDGER = LedgerSummary(
    tokens={"small": Usage(prompt=7, completion=5, cached=2), "large": Usage(prompt=11, completion=3)},
    calls=2,
    seconds=0.1,
    money=0.0,
    spent=None,
)
WEATHER = {"type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}


@dataclass
class Run:
    record: RunRecord
    events: list[Event] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    task: asyncio.Task[None] | None = None
    cancelled: bool = False


class ScriptedRuns:
    """What a run does is named by the last message's first word; any other message is echoed, word by word."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.runs: dict[str, Run] = {}
        self.parts = {"redis": "ok", "engine small": "ok"}

    async def start(self, request: RunRequest) -> str:
        if request.model not in {offer.name for offer in self.offers()}:
            raise RunRefused(f"there is no model {request.model!r}; known: auto", "model", "model_not_found")
        question = request.messages[-1].content
        if question == "refuse-long":
            raise RunRefused("the prompt is 9000 tokens long", "messages", "context_length_exceeded")
        if question == "busy":
            raise Busy("64 runs are in flight; try again soon", 7)
        run = uuid.uuid4().hex
        record = RunRecord(id=run, owner=request.owner, status="running", request=request, created=time.time())
        self.runs[run] = state = Run(record)
        await self.database.save_run(record)
        state.task = asyncio.create_task(self._play(state, question))
        return run

    async def events(self, run: str, owner: str, after: str = "0") -> AsyncIterator[tuple[str, Event]]:
        state = self._own(run, owner)
        position = int(after.partition("-")[0])
        while True:
            async with state.news:
                while len(state.events) <= position:
                    await state.news.wait()
            event = state.events[position]
            position += 1
            yield f"{position}-0", event
            if isinstance(event, RunFinished):
                return

    async def cancel(self, run: str, owner: str) -> None:
        state = self._own(run, owner)
        state.cancelled = True
        if state.task is not None:
            state.task.cancel()

    async def get(self, run: str, owner: str) -> RunRecord:
        return await self.database.get_run(run, owner)

    async def decide(self, request: RunRequest) -> Decision:
        return Decision(route=ROUTE, reason="scripted", considered=(Estimate(route=ROUTE, success=0.5, cost=0.1),))

    def offers(self) -> tuple[ModelOffer, ...]:
        return (
            ModelOffer(name="auto", kind="auto", description="the least compute"),
            ModelOffer(name="small", kind="model", description="the small model"),
        )

    async def ready(self) -> dict[str, str]:
        return self.parts

    def _own(self, run: str, owner: str) -> Run:
        state = self.runs.get(run)
        if state is None or state.record.owner != owner:
            raise UnknownRun(run)
        return state

    async def _emit(self, state: Run, event: Event) -> None:
        async with state.news:
            state.events.append(event)
            state.news.notify_all()

    async def _play(self, state: Run, question: str) -> None:
        request = state.record.request
        await self._emit(state, RunStarted(run=state.record.id, model=request.model, created=state.record.created))
        last: dict[str, object] = {"status": "answered", "finish_reason": "stop"}
        text = ""
        try:
            if question != "slow-route":
                await self._emit(state, Routed(route=ROUTE.name, reason="scripted"))
            async for event in _script(question, request):
                await self._emit(state, event)
                text += event.text if isinstance(event, ContentDelta) else ""
                if isinstance(event, ToolCalls):
                    last["finish_reason"] = "tool_calls"
            if question in ("fail", "fail-late"):
                last = {
                    "status": "error",
                    "finish_reason": "stop",
                    "error": "engine 'small' broke off; run `tandem doctor`",
                    "error_type": "engine_unavailable",
                }
            if question == "undelivered":
                text = "whole at the end"
            if question == "spend":
                last = {"status": "budget", "finish_reason": "length"}
            if question == "clarify":
                text = "Which city?"
                last = {"status": "needs_input", "finish_reason": "stop"}
        except asyncio.CancelledError:
            last = {"status": "cancelled", "finish_reason": "stop"}
        end = RunFinished.model_validate({**last, "route": ROUTE.name, "text": text, "value": "42", "ledger": LEDGER})
        known = {"status": end.status, "text": text, "route": end.route, "ledger": LEDGER, "error": end.error}
        await self.database.save_run(state.record.model_copy(update=known))
        await self._emit(state, end)


async def _script(question: str, request: RunRequest) -> AsyncIterator[Event]:
    if question == "fail" or question == "undelivered" or question == "spend":
        return
    if question == "clarify":
        yield QuestionAsked(question="Which city?", choices=("Oslo", "Bergen & Voss"))
        return
    if question == "tool":
        yield ToolCalls(calls=(WEATHER,))
        return
    if question == "queue":
        yield Queued(model="small", position=2)
    if question == "think":
        yield Assessed(form="number", difficulty=0.3, reason="scripted")
        yield ReasoningDelta(step="1", text="six sevens ")
        yield ReasoningDelta(step="1", text="are 42")
        yield StepFinished(step="1", text="six sevens are 42")
    if question in ("forever", "slow-route"):
        await asyncio.sleep(3600)
    for word in f"You said: {question}".split(" "):
        yield ContentDelta(text=word + " ", model="small")
    if question == "stall":
        await asyncio.sleep(3600)
