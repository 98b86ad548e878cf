"""The controller: guard, recall, assess, route, solve, verify, learn, as a LangGraph graph."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agents.events import Assessed, Considered, Escalated, Routed, Verdict
from agents.problem import Answer
from agents.strategy import SolveContext, Strategy
from orchestrator.guard import without_template_tokens
from orchestrator.offers import Offers
from orchestrator.runs import RunRequest
from orchestrator.state import RunContext, RunState
from orchestrator.threads import Threads
from routers.assessment import assess
from routers.policy import Accept
from routers.route import Decision, Route
from tools.sandbox.protocol import Limits, Sandbox
from workers.engines.protocol import Sampling
from workers.ledger import BudgetSpent

_Runtime = Runtime[RunContext]


class Controller:
    """Runs one request through the graph. It holds no state of any run; ``threads`` and the checkpointer do."""

    def __init__(
        self,
        *,
        offers: Offers,
        strategies: Mapping[str, Strategy],
        sandbox: Sandbox,
        limits: Limits,
        threads: Threads,
        step_tokens: int,
        vote_temperature: float,
        checkpointer: BaseCheckpointSaver[str] | None = None,
    ) -> None:
        self._offers = offers
        self._strategies = strategies
        self._sandbox = sandbox
        self._limits = limits
        self._threads = threads
        self._step_tokens = step_tokens
        self._vote_temperature = vote_temperature
        self._graph = self._compile(checkpointer)
        self._checkpointed = checkpointer is not None

    async def run(self, request: RunRequest, context: RunContext) -> RunState:
        """Run a new request to its verdict. Faults of engines are raised; a spent budget is part of the state."""
        if self._offers.passes_through(request):
            return await self._straight({"request": request, "attempts": []}, context)
        return await self._invoke({"request": request, "attempts": []}, context)

    async def resume(self, context: RunContext) -> RunState:
        """Go on from the run's last checkpoint; the node that was under way runs again from its start."""
        return await self._invoke(None, context)

    async def checkpointed(self, run: str) -> bool:
        """Whether a checkpoint of this run exists to resume from."""
        return bool((await self._graph.aget_state(_config(run))).values)

    def decide(self, request: RunRequest, inherited: float | None = None) -> Decision:
        """The first route of a request, without running it."""
        assessment = assess(without_template_tokens(request.messages), inherited)
        return self._offers.policy(request).first(assessment, self._offers.effort(request))

    async def _invoke(self, value: RunState | None, context: RunContext) -> RunState:
        extra: dict[str, Any] = {"durability": "sync"} if self._checkpointed else {}
        state = await self._graph.ainvoke(value, _config(context.run), context=context, **extra)
        return RunState(**state)  # type: ignore[typeddict-item]

    async def _straight(self, state: RunState, context: RunContext) -> RunState:
        """The same nodes in the same order without the graph and its checkpoints, which cost more than they are worth
        to one plain call: nothing before its first words is dear, and after them it could not be resumed anyway."""
        runtime: _Runtime = Runtime(context=context)
        for prepare in (self._guard, self._recall):
            state = state | await prepare(state)
        for node in (self._assess, self._route, self._solve, self._verify, self._learn):
            state = state | await node(state, runtime)
        return state

    def _compile(
        self, checkpointer: BaseCheckpointSaver[str] | None
    ) -> CompiledStateGraph[RunState, RunContext, RunState, RunState]:
        graph = StateGraph(RunState, context_schema=RunContext)
        graph.add_node("guard", self._guard)
        graph.add_node("recall", self._recall)
        graph.add_node("assess", self._assess)
        graph.add_node("route", self._route)
        graph.add_node("solve", self._solve)
        graph.add_node("verify", self._verify)
        graph.add_node("learn", self._learn)
        graph.add_edge(START, "guard")
        graph.add_edge("guard", "recall")
        graph.add_edge("recall", "assess")
        graph.add_edge("assess", "route")
        graph.add_edge("route", "solve")
        graph.add_edge("solve", "verify")
        graph.add_conditional_edges("verify", _next)
        graph.add_edge("learn", END)
        return graph.compile(checkpointer=checkpointer)

    async def _guard(self, state: RunState) -> RunState:
        request = state["request"]
        clean = request.model_copy(update={"messages": without_template_tokens(request.messages)})
        return {"request": clean, "effort": self._offers.effort(request)}

    async def _recall(self, state: RunState) -> RunState:
        thread = await self._threads.recall(state["request"])
        return {"inherited": thread.difficulty if thread else None}

    async def _assess(self, state: RunState, runtime: _Runtime) -> RunState:
        request = state["request"]
        assessment = assess(request.messages, state.get("inherited"))
        if request.undisturbed or self._offers.is_model(request.model):
            # The caller wants the model's own words in a shape of their own: nothing to compare or rewrite.
            assessment = assessment.model_copy(update={"form": "text", "reason": "passed through to the model"})
        await runtime.context.emit(
            Assessed(form=assessment.form, difficulty=assessment.difficulty, reason=assessment.reason)
        )
        return {"assessment": assessment}

    async def _route(self, state: RunState, runtime: _Runtime) -> RunState:
        policy = self._offers.policy(state["request"])
        decision = policy.first(state["assessment"], state["effort"])
        await runtime.context.emit(
            Routed(
                route=decision.route.name,
                reason=decision.reason,
                considered=tuple(
                    Considered(route=e.route.name, success=e.success, cost=e.cost) for e in decision.considered
                ),
            )
        )
        return {"decision": decision}

    async def _solve(self, state: RunState, runtime: _Runtime) -> RunState:
        route = state["decision"].route
        problem = runtime.context.problem(state["request"], state["assessment"])
        if route.sample:
            problem = problem.model_copy(update={"sampling": self._resampled(problem.sampling, route)})
        work = SolveContext(
            models=runtime.context.models,
            writers=route.models,
            sandbox=self._sandbox,
            limits=self._limits,
            emit=runtime.context.emit,
            step_tokens=self._step_tokens,
        )
        try:
            answer = await self._strategies[route.strategy].solve(problem, work)
        except BudgetSpent:
            empty = Answer(text="", strategy=route.strategy, model=route.models[0], finish_reason="length")
            return {"attempts": [empty], "budget_spent": True}
        return {"attempts": [answer], "budget_spent": runtime.context.ledger.summary().spent is not None}

    async def _verify(self, state: RunState, runtime: _Runtime) -> RunState:
        attempts = state["attempts"]
        policy = self._offers.policy(state["request"])
        verdict = await asyncio.to_thread(policy.after, state["assessment"], state["effort"], attempts)
        if isinstance(verdict, Decision):
            if state.get("budget_spent"):
                return {"verdict": _best(attempts)}
            await runtime.context.emit(
                Escalated(origin=state["decision"].route.name, route=verdict.route.name, reason=verdict.reason)
            )
            return {"verdict": verdict, "decision": verdict}
        supported = verdict.supported if isinstance(verdict, Accept) else False
        if state["assessment"].form != "text":
            await runtime.context.emit(Verdict(verifier="evidence", accepted=supported, reason=verdict.reason))
        return {"verdict": verdict}

    async def _learn(self, state: RunState, runtime: _Runtime) -> RunState:
        text = answer_text(state)
        route = state["decision"].route.name
        await self._threads.remember(runtime.context.run, state["request"], state["assessment"], route, text)
        return {}

    def _resampled(self, sampling: Sampling, route: Route) -> Sampling:
        seed = (sampling.seed or 0) + route.sample
        return replace(sampling, seed=seed, temperature=max(sampling.temperature, self._vote_temperature))


def answer_text(state: RunState) -> str:
    """What the reader is shown in the end: the accepted answer, or why there is none."""
    verdict = state["verdict"]
    if not isinstance(verdict, Accept):
        return f"I could not find an answer I can stand behind: {verdict.reason}."
    answer = state["attempts"][verdict.attempt]
    if state["assessment"].form == "text" or answer.value is None:
        return answer.text
    return answer.value


def _next(state: RunState) -> Literal["solve", "learn"]:
    return "solve" if isinstance(state["verdict"], Decision) else "learn"


def _best(attempts: list[Answer]) -> Accept:
    """The budget is over: the last attempt that has an answer, else the last one."""
    answered = [index for index, attempt in enumerate(attempts) if attempt.value is not None or attempt.text]
    index = answered[-1] if answered else len(attempts) - 1
    return Accept(attempt=index, reason="the budget is spent: best answer so far", supported=False)


def _config(run: str) -> RunnableConfig:
    return {"configurable": {"thread_id": run}, "recursion_limit": 60}
