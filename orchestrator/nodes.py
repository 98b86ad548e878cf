"""What happens at each node of the graph: guard, recall, assess, route, read, solve, verify, doubt, ask, learn."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents.asking import Asker, EarlyAsker, Question, clarified
from agents.collaborative import collaborative_names
from agents.events import Assessed, Considered, ContentDelta, Escalated, Event, QuestionAsked, Routed, Verdict
from agents.problem import Answer
from agents.strategy import Emit, SolveContext, Strategy
from agents.timed import TimedSandbox, timed
from orchestrator.answer_text import answer_text
from orchestrator.conducting import Node
from orchestrator.guard import without_template_tokens
from orchestrator.offers import Offers
from orchestrator.playbook.asking import asked_of
from orchestrator.playbook.entry import Setup
from orchestrator.playbook.recall import NoPlaybook, Recaller
from orchestrator.playbook.recollection import NOTHING, Recollection
from orchestrator.playbook.serving import equipped, posed
from orchestrator.router_in_service import NoRouter, RouterInService
from orchestrator.runs import RunRequest
from orchestrator.state import RunContext, RunState
from orchestrator.threads import Threads
from routers.assessment import Assessment, assess
from routers.policy import Abstain, Accept, Policy
from routers.recommended import Recommended
from routers.route import Decision, Effort, Estimate, Route
from routers.sticky import Turn
from routers.value import Weighed
from tools.sandbox.protocol import Limits, Sandbox
from workers.collaboration.protocol import CollaborationBusy
from workers.engines.errors import EngineUnavailable
from workers.engines.protocol import Sampling
from workers.ledger import BudgetSpent

_Runtime = Runtime[RunContext]


class Nodes:
    """Each node takes a run's state and gives what it adds to it. They hold no state of any run; ``threads`` does."""

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
        early_askers: Sequence[EarlyAsker] = (),
        asker: Asker | None = None,
        playbook: Recaller = NoPlaybook(),
        router: RouterInService = NoRouter(),
    ) -> None:
        self._offers = offers
        self._strategies = strategies
        self._sandbox = sandbox
        self._limits = limits
        self._threads = threads
        self._step_tokens = step_tokens
        self._vote_temperature = vote_temperature
        self._early_askers = early_askers
        self._asker = asker
        self._playbook = playbook
        self._router = router

    def by_name(self) -> dict[str, Node]:
        return {
            "guard": self._guard,
            "recall": self._recall,
            "assess": self._assess,
            "route": self._route,
            "read": self._read,
            "solve": self._solve,
            "verify": self._verify,
            "doubt": self._doubt,
            "ask": self._ask,
            "learn": self._learn,
        }

    async def decide(self, request: RunRequest) -> Decision:
        """The first route of a request, without running it."""
        request = request.model_copy(update={"messages": without_template_tokens(request.messages)})
        earlier = await self._earlier(request)
        assessment = assess(request.messages, earlier["inherited"])
        effort = self._offers.effort(request)
        budget = self._offers.budget(request)
        weighed = await self._weighed(request, assessment, effort, budget.tokens)
        policy = self._offers.policy(request, budget, earlier["turn"], weighed)
        recollection = await self._recollect(request, None)
        return _advised(policy, recollection).first(assessment, effort)

    async def _guard(self, state: RunState) -> RunState:
        request = state["request"]
        clean = request.model_copy(update={"messages": without_template_tokens(request.messages)})
        return {"request": clean, "effort": self._offers.effort(request)}

    async def _recall(self, state: RunState, runtime: _Runtime) -> RunState:
        recollection = await self._recollect(state["request"], runtime.context.run)
        event = recollection.event()
        if event is not None:
            await runtime.context.emit(event)
        return {**await self._earlier(state["request"]), "recollection": recollection}

    async def _earlier(self, request: RunRequest) -> RunState:
        thread = await self._threads.recall(request)
        if thread is None:
            return {"inherited": None, "turn": None}
        return {"inherited": thread.difficulty, "turn": Turn.of(thread.form, thread.route)}

    async def _recollect(self, request: RunRequest, run: str | None) -> Recollection:
        asked = asked_of(request, self._offers, run)
        return NOTHING if asked is None else await self._playbook.recall(asked)

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
        left = runtime.context.ledger.tokens_left()
        weighed = await self._weighed(_request(state), state["assessment"], state["effort"], left)
        state = {**state, "weighed": weighed}
        policy = self._policy(state, runtime)
        decision = policy.first(state["assessment"], state["effort"])
        await runtime.context.emit(
            Routed(
                route=decision.route.name,
                reason=decision.reason,
                considered=tuple(_considered(estimate) for estimate in decision.considered),
            )
        )
        return {"decision": decision, "weighed": weighed}

    async def _weighed(
        self, request: RunRequest, assessment: Assessment, effort: Effort, left: int | None
    ) -> Weighed | None:
        """What the learned router in service says, where the route is ours to choose."""
        if not self._offers.chooses(request):
            return None
        question = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        return await self._router.weigh(question, assessment, effort, left)

    async def _read(self, state: RunState, runtime: _Runtime) -> RunState:
        """Ask before any attempt where the question shows by itself that something is missing."""
        if not self._early_askers or not self._may_ask(state):
            return {}
        problem = runtime.context.problem(state["request"], state["assessment"])
        work = self._work(runtime, (self._offers.capable(),))
        for asker in self._early_askers:
            question = await asker.question(problem, work)
            if question is not None:
                asked = await self._asks(question, state, runtime)
                return {**asked, "verdict": Abstain(reason="the question does not say all that it takes")}
        return {}

    async def _solve(self, state: RunState, runtime: _Runtime) -> RunState:
        route = state["decision"].route
        problem = runtime.context.problem(_request(state), state["assessment"])
        if route.sample:
            problem = problem.model_copy(update={"sampling": self._resampled(problem.sampling, route)})
        recollection = state.get("recollection", NOTHING)
        # The routes after the recipe's are the usual ones.
        setup = (None if state["attempts"] else recollection.advice) or Setup()
        problem = posed(problem, setup, _request(state))
        work = self._work(runtime, route.models)
        shown = _Shown(work.emit)
        work = equipped(replace(work, emit=shown), setup, recollection, problem.question)
        try:
            answer = await self._strategies[route.strategy].solve(problem, work)
        except BudgetSpent:
            empty = Answer(text="", strategy=route.strategy, model=route.models[0], finish_reason="length")
            return {"attempts": [empty], "budget_spent": True}
        except (CollaborationBusy, EngineUnavailable) as error:
            answer = Answer(text="", strategy=route.strategy, model="+".join(route.models))
            pair = route.strategy in collaborative_names()
            # Words that the reader has seen cannot be taken back for another route's.
            if not pair or shown.words or not await self._goes_on_without(answer, state, runtime):
                raise
            await runtime.context.emit(Verdict(verifier=route.strategy, accepted=None, reason=str(error)))
        return {"attempts": [answer], "budget_spent": runtime.context.ledger.summary().spent is not None}

    async def _goes_on_without(self, failed: Answer, state: RunState, runtime: _Runtime) -> bool:
        """Whether a pair that cannot write now leaves the run something: what was found before, or another route that
        the budget still pays for."""
        attempts = state["attempts"]
        if any(attempt.text or attempt.value is not None for attempt in attempts):
            return True
        if runtime.context.ledger.remaining_share() <= 0:
            return False
        policy = self._policy(state, runtime)
        tried = [*attempts, failed]
        verdict = await asyncio.to_thread(policy.after, state["assessment"], state["effort"], tried)
        return isinstance(verdict, Decision)

    async def _verify(self, state: RunState, runtime: _Runtime) -> RunState:
        attempts = state["attempts"]
        policy = self._policy(state, runtime)
        verdict = await asyncio.to_thread(policy.after, state["assessment"], state["effort"], attempts)
        if isinstance(verdict, Decision):
            if state.get("budget_spent"):
                return {"verdict": _out_of_budget(state["request"], attempts)}
            await runtime.context.emit(
                Escalated(origin=state["decision"].route.name, route=verdict.route.name, reason=verdict.reason)
            )
            return {"verdict": verdict, "decision": verdict}
        supported = verdict.supported if isinstance(verdict, Accept) else False
        if state["assessment"].form != "text":
            await runtime.context.emit(Verdict(verifier="evidence", accepted=supported, reason=verdict.reason))
        return {"verdict": verdict}

    async def _doubt(self, state: RunState, runtime: _Runtime) -> RunState:
        """Ask, at most once in a row in a thread, where the question and not the models may be at fault."""
        request = state["request"]
        if self._asker is None or not self._may_ask(state) or state["assessment"].form not in ("number", "expression"):
            return {}
        verdict = state["verdict"]
        supported = isinstance(verdict, Accept) and verdict.supported
        if state.get("recollection", NOTHING).on_its_word(len(state["attempts"]), supported):
            return {}
        problem = runtime.context.problem(request, state["assessment"])
        work = self._work(runtime, (self._offers.capable(),))
        question = await self._asker.question(problem, state["attempts"], supported, work)
        return {} if question is None else await self._asks(question, state, runtime)

    def _may_ask(self, state: RunState) -> bool:
        """Once in a row, and never a chat page that wants a title for itself."""
        asked_already = state.get("just_asked") or state.get("reply") is not None
        if state["assessment"].interface_task or asked_already or state.get("budget_spent"):
            return False
        return self._offers.may_ask(state["request"])

    async def _asks(self, question: Question, state: RunState, runtime: _Runtime) -> RunState:
        request = state["request"]
        await runtime.context.emit(QuestionAsked(question=question.text, choices=question.choices))
        # Here and not beside the interrupt: the node that interrupts runs twice.
        route = state["decision"].route.name
        await self._threads.remember(runtime.context.run, request, state["assessment"], route, question.text)
        return {"asked": question, "asked_about": request.messages}

    async def _ask(self, state: RunState, runtime: _Runtime) -> RunState:
        question = state["asked"]
        assert question is not None  # what leads here
        reply = interrupt(question.model_dump())
        assessment = state["assessment"]
        reason = "goes on with the reader's reply to the clarifying question"
        await runtime.context.emit(Assessed(form=assessment.form, difficulty=assessment.difficulty, reason=reason))
        return {"reply": str(reply)}

    async def _learn(self, state: RunState, runtime: _Runtime) -> RunState:
        text = answer_text(state)
        route = state["decision"].route.name
        await self._threads.remember(runtime.context.run, state["request"], state["assessment"], route, text)
        return {}

    def _policy(self, state: RunState, runtime: _Runtime) -> Policy:
        left = runtime.context.ledger.remaining()
        policy = self._offers.policy(state["request"], left, state.get("turn"), state.get("weighed"))
        return _advised(policy, state.get("recollection", NOTHING))

    def _work(self, runtime: _Runtime, writers: tuple[str, ...]) -> SolveContext:
        ledger, toolbox = runtime.context.ledger, runtime.context.toolbox
        return SolveContext(
            models=runtime.context.models,
            writers=writers,
            sandbox=TimedSandbox(self._sandbox, ledger),
            limits=self._limits,
            emit=runtime.context.emit,
            step_tokens=self._step_tokens,
            collaboration=runtime.context.collaboration,
            toolbox=None if toolbox is None else timed(toolbox, ledger),
            keep_file=runtime.context.keep_file,
        )

    def _resampled(self, sampling: Sampling, route: Route) -> Sampling:
        seed = (sampling.seed or 0) + route.sample
        return replace(sampling, seed=seed, temperature=max(sampling.temperature, self._vote_temperature))


class _Shown:
    """Passes events on and notes whether ``words`` of an answer were among them."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.words = False

    async def __call__(self, event: Event) -> None:
        self.words = self.words or isinstance(event, ContentDelta)
        await self._emit(event)


def _request(state: RunState) -> RunRequest:
    """The request as it is to be solved: after a reply, the question that was asked about, completed by it."""
    request, question, reply = state["request"], state.get("asked"), state.get("reply")
    if question is None or reply is None:
        return request
    return request.model_copy(update={"messages": clarified(state["asked_about"], question, reply)})


def _advised(policy: Policy, recollection: Recollection) -> Policy:
    advice = recollection.advice
    return policy if advice is None else Recommended(policy, advice.route, advice.reason, advice.proven)


def _considered(estimate: Estimate) -> Considered:
    known = estimate.model_dump(exclude={"route"})
    return Considered(route=estimate.route.name, **known)


def _out_of_budget(request: RunRequest, attempts: list[Answer]) -> Accept | Abstain:
    if request.max_risk is not None:
        return Abstain(
            reason=f"the budget is spent before an answer was sure enough for a risk of {request.max_risk:g}"
        )
    return _best(attempts)


def _best(attempts: list[Answer]) -> Accept:
    """The budget is over: the last attempt that has an answer, else the last one."""
    answered = [index for index, attempt in enumerate(attempts) if attempt.value is not None or attempt.text]
    index = answered[-1] if answered else len(attempts) - 1
    return Accept(attempt=index, reason="the budget is spent: best answer so far", supported=False)
