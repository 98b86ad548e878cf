"""Run questions through a route with the real controller, outside any gateway: in process, cached, charged."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, TypeVar

from agents.events import Event, RunStatus
from agents.problem import Answer, Evidence, Problem
from agents.sampling import Draw, Sample, samples
from agents.strategy import SolveContext, Strategy
from agents.verifier import Verifier
from bench.chain import Chain
from bench.clocked import Clock, ClockedCollaboration, ClockedModel
from bench.questions import Question
from bench.scoring import right
from orchestrator.collaborations import charged
from orchestrator.controller import Controller
from orchestrator.finish import finished
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.runs import RunRequest
from orchestrator.settings import EngineSettings, Settings
from orchestrator.state import RunContext
from orchestrator.strategies import build_strategies
from routers.assessment import Assessment
from routers.policy import Accept
from routers.route import Effort
from tools.sandbox.protocol import Sandbox
from tools.verifiers.choice_texts import choices_in
from tools.verifiers.extract import final_answer
from workers.collaboration.protocol import Collaboration
from workers.ledger import Budget, Ledger
from workers.messages import Message
from workers.models.cached import Cached, GenerationCache
from workers.models.charged import Charged
from workers.models.protocol import ChatModel
from workers.usage import Usage

T = TypeVar("T")

_UNASSESSED = Assessment(form="text", difficulty=None, reason="")


@dataclass(frozen=True, slots=True)
class Solved:
    """What became of one question. ``seconds`` is how long its generations took when they were made, in sum; programs
    are not in it. ``chain`` is how many tokens had to be written one after the other."""

    question: Question
    value: str | None
    correct: bool
    tokens: dict[str, Usage]
    routes: tuple[str, ...]
    evidence: Evidence
    seconds: float
    status: RunStatus = "answered"
    chain: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample with what it cost; ``seconds`` as in ``Solved``."""

    sample: Sample
    usage: Usage
    seconds: float


class Solver:
    """Solves questions with a model name as a caller would put it (``auto``, ``program(large)``, …).

    What one model writes is cached; what two write together is written anew every time. Where the route is ``auto``'s
    to choose, the effort's budget bounds the run as it does in the service; other routes have no bound, so that they
    can be compared whatever they cost.
    """

    def __init__(
        self,
        settings: Settings,
        offers: Offers,
        controller: Controller,
        park: ModelPark,
        cache: GenerationCache,
        collaboration: Collaboration,
        sandbox: Sandbox,
        around: Callable[[ChatModel], ChatModel] = lambda model: model,
        beneath: Callable[[ChatModel], ChatModel] = lambda model: model,
    ) -> None:
        self._settings = settings
        self._offers = offers
        self._collaboration = collaboration
        self._controller = controller
        self._park = park
        # The decoder's build, slots and threads decide the last bits of a greedy answer.
        self._models = {
            name: around(Cached(beneath(model), cache, build_of(settings.models[name].engine)))
            for name, model in park.models.items()
        }
        self._sandbox = sandbox

    async def solve_all(
        self,
        questions: Sequence[Question],
        model: str,
        effort: Effort,
        concurrency: int,
        progress: Callable[[], None],
        seed: int = 0,
        temperature: float | None = None,
    ) -> list[Solved]:
        """In the order of the questions. Raises what the first question that could not be solved raised."""
        gate = asyncio.Semaphore(concurrency)

        async def one(question: Question) -> Solved:
            async with gate:
                solved = await self.solve(question, model, effort, seed, temperature)
            progress()
            return solved

        return await side_by_side(one(question) for question in questions)

    async def draw(self, question: Question, model: str, attempt: Strategy, draw: Draw) -> list[Drawn]:
        """Samples of one question, in the order of their seeds, outside any strategy that would choose among them."""
        drawn: list[Drawn] = []
        for index in range(draw.first, draw.first + draw.n):
            ledger, clock = Ledger(Budget()), Clock()
            problem, context = self._outside(question, model, ledger, clock)
            one = replace(draw, n=1, first=index)
            async with aclosing(samples(attempt, problem, context, one)) as stream:
                drawn += [Drawn(sample, ledger.summary().tokens[model], clock.seconds) async for sample in stream]
        return drawn

    async def score(self, question: Question, answer: Answer, verifier: Verifier) -> float | None:
        """What a verifier makes of an answer to the question."""
        problem, context = self._outside(question, answer.model, Ledger(Budget()), Clock())
        return await verifier.score(problem, answer, context)

    def _outside(self, question: Question, model: str, ledger: Ledger, clock: Clock) -> tuple[Problem, SolveContext]:
        """For work on a question outside the controller."""
        problem = self._problem(question, _request(question, model, "medium", 0), _UNASSESSED)
        context = SolveContext(
            models=self._charged(ledger, clock),
            writers=(model,),
            sandbox=self._sandbox,
            limits=self._settings.sandbox,
            emit=_unheard,
            step_tokens=self._settings.auto.step_tokens,
        )
        return problem, context

    def _charged(self, ledger: Ledger, clock: Clock) -> dict[str, ChatModel]:
        """The models as one question draws on them."""
        return {
            name: ClockedModel(Charged(model, ledger, self._settings.models[name].price), clock)
            for name, model in self._models.items()
        }

    async def solve(
        self, question: Question, model: str, effort: Effort, seed: int = 0, temperature: float | None = None
    ) -> Solved:
        """``temperature`` None leaves it to the route."""
        request = _request(question, model, effort, seed, temperature)
        ledger, clock = Ledger(self._budget(request)), Clock()
        routes: list[str] = []
        chain = Chain()

        async def listen(event: Event) -> None:
            chain.hear(event)
            if event.type in ("routed", "escalated"):
                routes.append(event.route)

        context = RunContext(
            run=uuid.uuid4().hex,
            emit=listen,
            ledger=ledger,
            models=self._charged(ledger, clock),
            problem=lambda asked, assessment: self._problem(question, asked, assessment),
            collaboration=ClockedCollaboration(charged(self._collaboration, ledger, self._settings), clock),
        )
        state = await self._controller.run(request, context)
        last = finished(state, ledger.summary())
        verdict = state["verdict"]
        evidence = state["attempts"][verdict.attempt].evidence if isinstance(verdict, Accept) else Evidence()
        # The numbers in a clarifying question answer nothing.
        asks = last.status == "needs_input"
        value = None if asks else last.value or final_answer(last.text, question.form, choices_in(question.question))
        return Solved(
            question=question,
            value=value,
            correct=await right(question, last, value, self._sandbox),
            tokens=last.ledger.tokens,
            routes=tuple(routes),
            evidence=evidence,
            seconds=clock.seconds,
            status=last.status,
            chain=chain.tokens,
        )

    def _budget(self, request: RunRequest) -> Budget:
        return self._offers.budget(request) if self._offers.chooses(request) else Budget()

    def _problem(self, question: Question, request: RunRequest, assessment: Assessment) -> Problem:
        if not request.model.startswith("auto"):
            # A constant route is asked for the form the data set compares; only auto has to find it out itself.
            assessment = assessment.model_copy(update={"form": question.form})
        return self._park.problem(request, assessment)


def refuse_unknown(model: str, settings: Settings) -> None:
    """Raises ``RunRefused``, before anything is started, for a model name that stands for nothing."""
    message = Message(role="user", content="?")
    Offers(settings, tuple(build_strategies(settings))).policy(RunRequest(model=model, messages=(message,)))


async def side_by_side(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of it comes to, in order. The first fault ends the rest and is raised as it is, not in a group."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as error:
        raise cause_of(error) from error
    return [task.result() for task in tasks]


def cause_of(error: BaseException) -> BaseException:
    """The first of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _request(question: Question, model: str, effort: Effort, seed: int, temperature: float | None = None) -> RunRequest:
    message = Message(role="user", content=question.question)
    return RunRequest(model=model, effort=effort, messages=(message,), seed=seed, temperature=temperature)


async def _unheard(event: Event) -> None:
    """Nobody listens to the samples of a pool."""


def build_of(engine: EngineSettings) -> str:
    """What beside the model decides an engine's answer to the last bit. Of a server that is not started here nothing
    is known but where it is."""
    if engine.kind != "llamacpp":
        return f"{engine.kind} {engine.url}"
    if engine.url:
        return f"llama.cpp at {engine.url} slots={engine.slots} threads={engine.threads}"
    return f"llama.cpp xllamacpp-{version('xllamacpp')} slots={engine.slots} threads={engine.threads}"
