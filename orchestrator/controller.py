"""The controller: how a request goes from guard to learn, as a LangGraph graph."""

from collections.abc import Sequence
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, StateSnapshot

from orchestrator.answer_text import open_question
from orchestrator.conducting import Around, as_it_is
from orchestrator.guard import without_template_tokens
from orchestrator.nodes import Nodes
from orchestrator.offers import Offers
from orchestrator.runs import RunRequest
from orchestrator.state import RunContext, RunState
from orchestrator.threads import Threads
from routers.assessment import assess
from routers.route import Decision
from workers.messages import Message

_Runtime = Runtime[RunContext]


class Controller:
    """Runs one request through the graph. It holds no state of any run; ``threads`` and the checkpointer do."""

    def __init__(
        self,
        nodes: Nodes,
        offers: Offers,
        threads: Threads,
        checkpointer: BaseCheckpointSaver[str] | None = None,
        around: Around = as_it_is,
    ) -> None:
        self._decide = nodes.decide
        self._nodes = {name: around(name, node) for name, node in nodes.by_name().items()}
        self._offers = offers
        self._threads = threads
        self._graph = self._compile(checkpointer)
        self._checkpointed = checkpointer is not None

    async def run(self, request: RunRequest, context: RunContext) -> RunState:
        """Run a new request to its verdict. Faults of engines are raised; a spent budget is part of the state."""
        if self._offers.passes_through(request):
            return await self._straight({"request": request, "attempts": []}, context)
        earlier = await self._unanswered(request)
        if earlier is not None and answers(request.messages):
            return await self._go_on(earlier, request, context)
        return await self._invoke({"request": request, "attempts": [], "just_asked": earlier is not None}, context)

    async def resume(self, context: RunContext) -> RunState:
        """Go on from the run's last checkpoint; the node that was under way runs again from its start."""
        return await self._invoke(None, context)

    async def checkpointed(self, run: str) -> bool:
        """Whether a checkpoint of this run exists to resume from."""
        return bool((await self._graph.aget_state(_config(run))).values)

    async def decide(self, request: RunRequest) -> Decision:
        """The first route of a request, without running it."""
        return await self._decide(request)

    async def _unanswered(self, request: RunRequest) -> StateSnapshot | None:
        """Where the run before this one in the thread stopped, if it stopped to ask."""
        if not self._checkpointed or not self._offers.may_ask(request):
            return None
        thread = await self._threads.recall(request)
        snapshot = await self._graph.aget_state(_config(thread.run)) if thread else None
        return snapshot if snapshot is not None and snapshot.next == ("ask",) else None

    async def _go_on(self, earlier: StateSnapshot, request: RunRequest, context: RunContext) -> RunState:
        """Go on where the earlier run asked, with this request's last message as the reply. What was known is copied,
        so that the same question can be answered again and this run survives on checkpoints of its own."""
        known = earlier.values
        kept = {name: known[name] for name in ("assessment", "decision", "verdict", "asked")}
        fresh = {
            "request": request.model_copy(update={"messages": without_template_tokens(request.messages)}),
            "effort": self._offers.effort(request),
            "inherited": known["assessment"].difficulty,
            "asked_about": known["request"].messages,
            "attempts": [],
        }
        await self._graph.aupdate_state(_config(context.run), {**kept, **fresh}, as_node="doubt")
        return await self._invoke(Command(resume=fresh["request"].messages[-1].content), context)

    async def _invoke(self, value: RunState | Command[Any] | None, context: RunContext) -> RunState:
        extra: dict[str, Any] = {"durability": "sync"} if self._checkpointed else {}
        state = await self._graph.ainvoke(value, _config(context.run), context=context, **extra)
        return RunState(**{name: known for name, known in state.items() if name in RunState.__annotations__})  # type: ignore[typeddict-item]

    async def _straight(self, state: RunState, context: RunContext) -> RunState:
        """The same nodes in the same order without the graph and its checkpoints, which cost more than they are worth
        to one plain call: nothing before its first words is dear, and after them it could not be resumed anyway."""
        runtime: _Runtime = Runtime(context=context)
        state = state | await self._nodes["guard"](state)
        for name in ("recall", "assess", "route", "solve", "verify", "learn"):
            state = state | await self._nodes[name](state, runtime)
        return state

    def _compile(
        self, checkpointer: BaseCheckpointSaver[str] | None
    ) -> CompiledStateGraph[RunState, RunContext, RunState, RunState]:
        graph = StateGraph(RunState, context_schema=RunContext)
        for name, node in self._nodes.items():
            graph.add_node(name, node)
        graph.add_edge(START, "guard")
        graph.add_edge("guard", "recall")
        graph.add_edge("recall", "assess")
        graph.add_edge("assess", "route")
        graph.add_edge("route", "read")
        graph.add_conditional_edges("read", _after_read)
        graph.add_edge("solve", "verify")
        graph.add_conditional_edges("verify", _after_verify)
        graph.add_conditional_edges("doubt", _after_doubt)
        graph.add_edge("ask", "route")
        graph.add_edge("learn", END)
        return graph.compile(checkpointer=checkpointer)


def answers(messages: Sequence[Message]) -> bool:
    """Whether the last message can be a reply to a clarifying question: a new question that can be checked is none."""
    last = messages[-1]
    return last.role == "user" and not ("?" in last.content and assess(messages[-1:]).form != "text")


def _after_verify(state: RunState) -> Literal["solve", "doubt"]:
    return "solve" if isinstance(state["verdict"], Decision) else "doubt"


def _after_read(state: RunState) -> Literal["ask", "solve"]:
    return "ask" if open_question(state) is not None else "solve"


def _after_doubt(state: RunState) -> Literal["ask", "learn"]:
    return "ask" if open_question(state) is not None else "learn"


def _config(run: str) -> RunnableConfig:
    return {"configurable": {"thread_id": run}, "recursion_limit": 60}
