"""The service with its playbook, in this process: runs, what is learned from them, and the work behind the scenes."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery
from redis.asyncio import Redis

from agents.events import Escalated, Event, RunFinished, StepFinished
from bench.playbook.stream import Asked
from bench.questions import Question
from bench.scoring import right
from bench.solving import build_of
from orchestrator.compose import build_controller
from orchestrator.finish import finished, outcome
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.playbook.archived import DatabaseArchive
from orchestrator.playbook.consolidator import Consolidator
from orchestrator.playbook.entry import Entry
from orchestrator.playbook.jobs import CONSOLIDATE, SHADOW
from orchestrator.playbook.learner import Learner
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.quiet import Quiet
from orchestrator.playbook.recall import NoPlaybook, Recaller
from orchestrator.playbook.recollection import Asked as Recall
from orchestrator.playbook.recollection import Recollection
from orchestrator.playbook.repertoire import Repertoire
from orchestrator.playbook.shadow import ShadowTrials
from orchestrator.playbook.traces import Traces
from orchestrator.playbook.workshop import Workshop
from orchestrator.runs import SINGLE_USER, RunRecord, RunRequest
from orchestrator.settings import Settings
from orchestrator.state import RunContext, RunState
from orchestrator.storage.database import Database
from orchestrator.storage.records import Feedback, TaughtRun
from orchestrator.strategies import build_strategies
from routers.cost import weigh_all
from routers.embedding import WordEmbedder
from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.verifiers.choice_texts import choices_in
from tools.verifiers.extract import final_answer
from workers.engines.protocol import Finish, Token
from workers.ledger import Ledger
from workers.messages import Message
from workers.models.cached import Cached, GenerationCache
from workers.models.protocol import ChatModel, ChatRequest, ModelCard
from workers.usage import Usage

_KEPT_TRACES = 1000


@dataclass(frozen=True, slots=True)
class Answered:
    """One question's run. ``tokens`` were written, ``cost`` is parameter-weighted; ``recipes``, ``behaviours`` and
    ``examples`` count the entries it used, promoted or not."""

    asked: Asked
    correct: bool
    tokens: int
    cost: float
    route: str
    recipes: int = 0
    behaviours: int = 0
    examples: int = 0
    proven: bool = False


@dataclass(slots=True)
class Meter:
    """What the work behind the scenes has drawn."""

    tokens: dict[str, Usage] = field(default_factory=dict)


class Service:
    """Answers questions with and without the playbook, and lets the playbook learn from what it answered."""

    def __init__(
        self,
        settings: Settings,
        plain: "_Arm",
        advised: "_Arm",
        database: Database,
        workshop: Workshop,
        parts: PlaybookParts,
        errands: "_Errands",
        meter: Meter,
    ) -> None:
        self._settings = settings
        self._plain = plain
        self._advised = advised
        self._database = database
        self._workshop = workshop
        self._parts = parts
        self._errands = errands
        self._meter = meter

    async def without(self, asked: Asked) -> Answered:
        """As a server without a playbook answers it."""
        return (await self._plain.run(asked, ""))[0]

    async def with_playbook(self, asked: Asked, *, learn: bool, cold: bool = False) -> Answered:
        """As a server with the playbook answers it. With ``learn`` it learns from this run, whose verdict is the key's,
        before the next one; ``cold`` keeps what was recalled from it."""
        answered, record, state = await self._advised.run(asked, "cold" if cold else "warm")
        if learn:
            await self._database.save_run(record, outcome(state))
            await self._database.save_feedback(record.id, record.owner, Feedback(rating=1 if answered.correct else -1))
            await self._workshop.learn(record.id, record.owner)
            await self._run_errands()
        return answered

    async def entries(self) -> list[Entry]:
        return [entry async for entry in self._parts.entries.export(SINGLE_USER)]

    def behind_the_scenes(self) -> tuple[int, float]:
        """Tokens written, and their cost, for trials in shadow and by the consolidator so far."""
        parameters = {name: model.parameters for name, model in self._settings.models.items()}
        used = self._meter.tokens
        return sum(usage.completion for usage in used.values()), weigh_all(used, parameters)

    async def _run_errands(self) -> None:
        while self._errands.waiting:
            task, arguments = self._errands.waiting.popleft()
            if task == SHADOW:
                await self._workshop.shadow(*arguments)
            elif task == CONSOLIDATE:
                await self._workshop.consolidate(*arguments)


class _Arm:
    """The controller over cached models. Runs have the same id every time, so that what is left to chance is too."""

    def __init__(self, settings: Settings, park: ModelPark, sandbox: BubblewrapSandbox, playbook: Recaller | None):
        offers = Offers(settings, tuple(build_strategies(settings)))
        self._cold = None if playbook is None else _Cold(playbook)
        self._controller = build_controller(settings, offers, sandbox, playbook=self._cold or NoPlaybook())
        self._settings = settings
        self._park = park
        self._sandbox = sandbox
        self.traces: dict[str, list[Event]] = {}

    async def run(self, asked: Asked, way: str) -> tuple[Answered, RunRecord, RunState]:
        question = asked.question
        run = uuid.uuid5(uuid.NAMESPACE_OID, f"{way} {question.id}").hex
        request = RunRequest(model="auto", messages=(Message(role="user", content=question.question),), seed=0)
        ledger = Ledger(self._settings.efforts[self._settings.default_effort].budget)
        heard: list[Event] = []

        async def listen(event: Event) -> None:
            if isinstance(event, StepFinished | Escalated):
                heard.append(event)

        context = RunContext(
            run=run,
            emit=listen,
            ledger=ledger,
            models=self._park.for_run(ledger, listen),
            problem=self._park.problem,
        )
        if self._cold is not None:
            self._cold.cold = way == "cold"
        state = await self._controller.run(request, context)
        last = finished(state, ledger.summary())
        self._remember(run, heard)
        return await self._answered(asked, state, last), _record(run, request, last), state

    def _remember(self, run: str, heard: list[Event]) -> None:
        self.traces[run] = heard
        while len(self.traces) > _KEPT_TRACES:
            self.traces.pop(next(iter(self.traces)))

    async def _answered(self, asked: Asked, state: RunState, last: RunFinished) -> Answered:
        parameters = {name: model.parameters for name, model in self._settings.models.items()}
        recalled = state.get("recollection", Recollection())
        kinds = [entry.kind for entry in recalled.used]
        return Answered(
            asked=asked,
            correct=await right(asked.question, last, _value(asked.question, last), self._sandbox),
            tokens=sum(usage.completion for usage in last.ledger.tokens.values()),
            cost=weigh_all(last.ledger.tokens, parameters),
            route=last.route or "",
            recipes=kinds.count("recipe"),
            behaviours=kinds.count("behaviour"),
            examples=kinds.count("example"),
            proven=recalled.advice is not None and recalled.advice.proven,
        )


class _Cold:
    """A playbook that may be kept from giving anything: the run is learned from all the same."""

    def __init__(self, playbook: Recaller) -> None:
        self._playbook = playbook
        self.cold = False

    async def recall(self, asked: Recall) -> Recollection:
        recalled = await self._playbook.recall(asked)
        if not self.cold:
            return recalled
        nothing = Recollection()
        names = ("used", "advice", "behaviours", "writers", "examples", "pupils", "on_trial", "reason")
        return recalled.model_copy(update={name: getattr(nothing, name) for name in names})


class _Errands(Celery):  # type: ignore[misc]  # Celery is untyped
    """The worker's queue, in this process: what is sent waits here."""

    def __init__(self) -> None:
        super().__init__("bench", set_as_current=False)
        self.waiting: deque[tuple[str, list[str]]] = deque()

    def send_task(self, name: str, args: Any = None, **_: Any) -> None:
        self.waiting.append((name, list(args or ())))


class _HeardTraces(Traces):
    """What the runs' models wrote, as it was heard here."""

    def __init__(self, redis: Redis, traces: Mapping[str, list[Event]]) -> None:
        super().__init__(redis)
        self._traces = traces

    async def text(self, run: TaughtRun) -> str:
        steps = [event.text for event in await self._events(run) if isinstance(event, StepFinished)]
        return "\n".join(step.strip() for step in steps if step.strip()) or run.text

    async def _events(self, run: TaughtRun) -> list[Event]:
        return self._traces.get(run.id, [])


class _Metered:
    """A model whose tokens are counted."""

    def __init__(self, inner: ChatModel, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        async with aclosing(self._inner.generate(request)) as stream:
            async for event in stream:
                if isinstance(event, Finish):
                    name = self.card.name
                    self._meter.tokens[name] = self._meter.tokens.get(name, Usage()) + event.usage
                yield event


@asynccontextmanager
async def service_open(settings: Settings, folder: Path, url: str, cache: Path) -> AsyncIterator[Service]:
    """``folder`` for the database, ``url`` of an empty Redis, ``cache`` of generations. The engines run already."""
    async with AsyncExitStack() as stack:
        redis = Redis.from_url(url, socket_timeout=None)
        stack.push_async_callback(redis.aclose)
        database = await stack.enter_async_context(Database.open(f"sqlite:///{folder / 'bench.db'}"))
        generations = GenerationCache(cache)
        stack.callback(generations.close)
        meter = Meter()
        parks = []
        for counted in (False, True):
            park = ModelPark(settings, None)
            stack.push_async_callback(park.aclose)
            for name, model in park.models.items():
                cached = Cached(model, generations, build_of(settings.models[name].engine))
                park.models[name] = _Metered(cached, meter) if counted else cached
            parks.append(park)
        strategies, embedder, sandbox = build_strategies(settings), WordEmbedder(), BubblewrapSandbox()
        # What it takes to load is not to count as a playbook that does not answer.
        await embedder.embed(["warm up"])
        parts = await asyncio.to_thread(build_parts, settings, redis, embedder, strategies)
        archive = DatabaseArchive(database)
        parameters = {name: model.parameters for name, model in settings.models.items()}
        learner = Learner(parts, archive, settings.playbook.guard, parameters)
        offers = Offers(settings, tuple(strategies))
        advised = _Arm(settings, parks[0], sandbox, parts.recall)
        errands = _Errands()
        workshop = Workshop(
            settings,
            parts,
            database,
            parks[1],
            learner,
            ShadowTrials(settings, parts, learner, parks[1], offers, strategies, sandbox),
            Consolidator(
                parts,
                archive,
                _HeardTraces(redis, advised.traces),
                embedder,
                settings.playbook,
                Repertoire(settings, strategies, offers),
            ),
            Quiet(redis),
            errands,
        )
        plain = _Arm(settings, parks[0], sandbox, None)
        yield Service(settings, plain, advised, database, workshop, parts, errands, meter)


def _value(question: Question, last: RunFinished) -> str | None:
    if last.status == "needs_input":
        return None  # the numbers in a clarifying question answer nothing
    return last.value or final_answer(last.text, question.form, choices_in(question.question))


def _record(run: str, request: RunRequest, last: RunFinished) -> RunRecord:
    return RunRecord(
        id=run,
        owner=request.owner,
        status=last.status,
        request=request,
        created=time.time(),
        route=last.route,
        text=last.text,
        value=last.value,
        ledger=last.ledger,
    )
