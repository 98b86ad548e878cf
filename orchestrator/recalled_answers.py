"""The exact answer cache around the controller: the same request again gets the same answer, and no model is asked."""

from dataclasses import dataclass, replace

import structlog
from redis.exceptions import RedisError

from agents.events import AnswerRecalled, Assessed, Routed, Verdict
from agents.strategy import GetToolbox, KeepFile
from orchestrator.answer_cache import AnswerCache, Kept
from orchestrator.answer_text import answer_text
from orchestrator.conducting import Conductor
from orchestrator.event_log import now
from orchestrator.guard import without_template_tokens
from orchestrator.runs import RunRequest
from orchestrator.state import RunContext, RunState
from orchestrator.threads import Threads
from routers.policy import Accept
from routers.route import Decision
from tools.toolbox import Toolbox

_log = structlog.get_logger(__name__)


class RecalledAnswers:
    """Wraps a ``Conductor``. Kept are whole answers that stand on nothing but the request: no tools, no files beside
    the text, no clarifying question, no spent budget, and where an answer can be checked, only one that was."""

    def __init__(self, conductor: Conductor, cache: AnswerCache, threads: Threads) -> None:
        self._conductor = conductor
        self._cache = cache
        self._threads = threads

    async def run(self, request: RunRequest, context: RunContext) -> RunState:
        if not _repeatable(request):
            return await self._conductor.run(request, context)
        kept = None if request.fresh else await self._found(request)
        if kept is not None:
            return await self._again(kept, request, context)
        beside = _Beside(context)
        state = await self._conductor.run(request, beside.watched())
        if not beside.used and _keepable(state):
            await self._keep(request, state, context)
        return state

    async def resume(self, context: RunContext) -> RunState:
        return await self._conductor.resume(context)

    async def checkpointed(self, run: str) -> bool:
        return await self._conductor.checkpointed(run)

    async def decide(self, request: RunRequest) -> Decision:
        return await self._conductor.decide(request)

    async def _found(self, request: RunRequest) -> Kept | None:
        try:
            return await self._cache.get(request)
        except RedisError as error:
            _log.warning("the answer cache cannot be read", error=str(error))
            return None

    async def _again(self, kept: Kept, request: RunRequest, context: RunContext) -> RunState:
        route = kept.decision.route.name
        reason = f"run {kept.run} answered exactly this request"
        await context.emit(AnswerRecalled(run=kept.run, age=round(now() - kept.created, 1), tokens=kept.tokens))
        assessment = kept.assessment
        await context.emit(Assessed(form=assessment.form, difficulty=assessment.difficulty, reason=assessment.reason))
        await context.emit(Routed(route=route, reason=reason))
        if assessment.form != "text":
            verdict = kept.verdict
            await context.emit(Verdict(verifier="evidence", accepted=verdict.supported, reason=verdict.reason))
        state: RunState = {
            "request": request.model_copy(update={"messages": without_template_tokens(request.messages)}),
            "assessment": assessment,
            "decision": kept.decision,
            "attempts": [kept.answer],
            "verdict": kept.verdict,
            "recalled": kept.run,
        }
        # What follows in this conversation inherits from it, as it would from the run that gave the answer.
        await self._threads.remember(context.run, state["request"], assessment, route, answer_text(state))
        return state

    async def _keep(self, request: RunRequest, state: RunState, context: RunContext) -> None:
        verdict = state["verdict"]
        assert isinstance(verdict, Accept)  # what is keepable
        tokens = sum(usage.completion for usage in context.ledger.summary().tokens.values())
        kept = Kept(
            run=context.run,
            created=now(),
            tokens=tokens,
            assessment=state["assessment"],
            decision=state["decision"],
            # Nobody has seen it yet who gets it from the cache.
            answer=state["attempts"][verdict.attempt].model_copy(update={"streamed": False}),
            verdict=verdict.model_copy(update={"attempt": 0}),
        )
        try:
            await self._cache.put(request, kept)
        except RedisError as error:
            _log.warning("an answer is not kept in the answer cache", run=context.run, error=str(error))


@dataclass(slots=True)
class _Beside:
    """Notices whether a run reaches for what the request does not hold or leaves what the answer does not."""

    context: RunContext
    used: bool = False

    def watched(self) -> RunContext:
        return replace(self.context, toolbox=self._toolbox(), keep_file=self._keep_file())

    def _toolbox(self) -> GetToolbox | None:
        get = self.context.toolbox
        if get is None:
            return None

        async def noticed() -> Toolbox:
            self.used = True
            return await get()

        return noticed

    def _keep_file(self) -> KeepFile | None:
        keep = self.context.keep_file
        if keep is None:
            return None

        async def noticed(name: str, data: bytes) -> None:
            self.used = True
            await keep(name, data)

        return noticed


def _repeatable(request: RunRequest) -> bool:
    return not request.tools and all(message.role != "tool" for message in request.messages)


def _keepable(state: RunState) -> bool:
    verdict = state.get("verdict")
    if not isinstance(verdict, Accept) or state.get("budget_spent") or state.get("asked") is not None:
        return False
    answer = state["attempts"][verdict.attempt]
    if answer.tool_calls or (answer.streamed and answer.finish_reason != "stop"):
        return False
    return verdict.supported or state["assessment"].form == "text"
