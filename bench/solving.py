"""Run questions through a route with the real controller, outside any gateway: in process, cached, charged."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from agents.events import Event
from agents.problem import Evidence, Problem
from bench.questions import Question
from orchestrator.collaborations import charged
from orchestrator.controller import Controller
from orchestrator.finish import finished
from orchestrator.model_park import ModelPark
from orchestrator.runs import RunRequest
from orchestrator.settings import EngineSettings, Settings
from orchestrator.state import RunContext
from routers.assessment import Assessment
from routers.policy import Accept
from routers.route import Effort
from tools.verifiers.equality import equal
from tools.verifiers.extract import final_answer
from workers.collaboration.protocol import Collaboration
from workers.ledger import Budget, Ledger
from workers.messages import Message
from workers.models.cached import Cached, GenerationCache
from workers.models.charged import Charged
from workers.usage import Usage


@dataclass(frozen=True, slots=True)
class Solved:
    """What became of one question."""

    question: Question
    value: str | None
    correct: bool
    tokens: dict[str, Usage]
    routes: tuple[str, ...]
    evidence: Evidence
    seconds: float


class Solver:
    """Solves questions with a model name as a caller would put it (``auto``, ``program(large)``, …).

    What one model writes is cached; what two write together is written anew every time.
    """

    def __init__(
        self,
        settings: Settings,
        controller: Controller,
        park: ModelPark,
        cache: GenerationCache,
        collaboration: Collaboration,
    ) -> None:
        self._settings = settings
        self._collaboration = collaboration
        self._controller = controller
        self._park = park
        # The decoder's build, slots and threads decide the last bits of a greedy answer.
        self._models = {
            name: Cached(model, cache, build_of(settings.models[name].engine)) for name, model in park.models.items()
        }

    async def solve_all(
        self,
        questions: Sequence[Question],
        model: str,
        effort: Effort,
        concurrency: int,
        progress: Callable[[], None],
    ) -> list[Solved]:
        gate = asyncio.Semaphore(concurrency)

        async def one(question: Question) -> Solved:
            async with gate:
                solved = await self.solve(question, model, effort)
            progress()
            return solved

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(question)) for question in questions]
        return [task.result() for task in tasks]

    async def solve(self, question: Question, model: str, effort: Effort) -> Solved:
        request = RunRequest(
            model=model, effort=effort, messages=(Message(role="user", content=question.question),), seed=0
        )
        ledger = Ledger(Budget())
        routes: list[str] = []

        async def listen(event: Event) -> None:
            if event.type in ("routed", "escalated"):
                routes.append(event.route)

        context = RunContext(
            run=uuid.uuid4().hex,
            emit=listen,
            ledger=ledger,
            models={
                name: Charged(cached, ledger, self._settings.models[name].price)
                for name, cached in self._models.items()
            },
            problem=lambda asked, assessment: self._problem(question, asked, assessment),
            collaboration=charged(self._collaboration, ledger, self._settings),
        )
        started = time.monotonic()
        state = await self._controller.run(request, context)
        last = finished(state, ledger.summary())
        verdict = state["verdict"]
        evidence = state["attempts"][verdict.attempt].evidence if isinstance(verdict, Accept) else Evidence()
        # The numbers in a clarifying question answer nothing.
        asks = last.status == "needs_input"
        value = None if asks else last.value or final_answer(last.text, question.form)
        return Solved(
            question=question,
            value=value,
            correct=value is not None and await asyncio.to_thread(equal, value, question.answer, question.form),
            tokens=last.ledger.tokens,
            routes=tuple(routes),
            evidence=evidence,
            seconds=time.monotonic() - started,
        )

    def _problem(self, question: Question, request: RunRequest, assessment: Assessment) -> Problem:
        if not request.model.startswith("auto"):
            # A constant route is asked for the form the data set compares; only auto has to find it out itself.
            assessment = assessment.model_copy(update={"form": question.form})
        return self._park.problem(request, assessment)


def build_of(engine: EngineSettings) -> str:
    """What beside the model decides an engine's answer to the last bit."""
    if engine.kind != "llamacpp":
        return f"{engine.kind} {engine.url}"
    return f"llama.cpp xllamacpp-{version('xllamacpp')} slots={engine.slots} threads={engine.threads}"
