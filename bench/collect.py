"""Collect outcomes: questions × routes × seeds, each attempted once and kept for routers to learn from."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.outcomes_file import without_address
from bench.questions import Question, spread_questions
from bench.run import open_solver, progress_bar
from bench.solving import Solved, Solver, build_of, cause_of
from orchestrator.outcomes.store import Key, OutcomeStore
from orchestrator.settings import Settings
from routers.outcome import Outcome
from workers.engines.errors import EngineRefused
from workers.models.cached import NotGenerated, StoredOnly
from workers.models.protocol import ChatModel

_MODELS = re.compile(r"\((?P<models>[^()]+)\)$")
_BATCH = 16
MIXED = ("gsm8k_test", "svamp", "math500", "arc_challenge", "commonsenseqa", "mmlu_stem", "bbh", "aqua", "strategyqa")


@dataclass(frozen=True, slots=True)
class Job:
    """``route`` with seeds 0 … ``seeds`` − 1 on ``rows`` questions of a data set, of all its subjects. Seed 0
    is the route's own sampling; the others draw at the temperature of ``auto``'s second attempts."""

    dataset: str
    route: str
    rows: int
    seeds: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """``cached_only``: nothing is generated, and questions that would need it are left out."""

    data: Path
    jobs: tuple[Job, ...]
    cache: Path
    concurrency: int
    cached_only: bool = False


@dataclass(frozen=True, slots=True)
class Collected:
    """How many outcomes were ``added``, were there ``before``, and were ``left`` out."""

    added: int = 0
    before: int = 0
    left: int = 0


def mixed_jobs(settings: Settings) -> tuple[Job, ...]:
    """About 300 questions of nine kinds: programs and direct answers on all of them, chains of thought, which cost
    most, on half."""
    small, large = settings.named("small"), settings.named("large")
    routes = (
        (f"direct({small})", 34, 1),
        (f"direct({large})", 34, 1),
        (f"program({large})", 34, 3),
        (f"program({small})", 34, 3),
        (f"cot({large})", 18, 1),
        (f"cot({small})", 18, 1),
    )
    return tuple(Job(dataset, route, rows, seeds) for route, rows, seeds in routes for dataset in MIXED)


async def collect(plan: Plan, settings: Settings, store: OutcomeStore, console: Console) -> Collected:
    """Resumable: what the store has is not asked again, and what was generated is in the cache. Raises ``EngineError``
    where an engine goes away; what it had answered is in the store."""
    known = await asyncio.to_thread(store.known)
    planned = _attempts(plan, settings)
    wanted = [attempt for attempt in planned if attempt.key not in known]
    beneath = StoredOnly if plan.cached_only else _itself
    async with open_solver(settings, plan.cache, beneath=beneath) as solver:
        with progress_bar(console, "attempts", len(wanted)) as advance:
            collector = Collector(solver, settings, store, advance)
            added = await collector.take(wanted, plan.concurrency)
    return Collected(added, len(planned) - len(wanted), len(wanted) - added)


@dataclass(frozen=True, slots=True)
class _Attempt:
    job: Job
    seed: int
    question: Question
    build: str

    @property
    def key(self) -> Key:
        return self.question.id, self.job.route, self.seed, self.build


def _attempts(plan: Plan, settings: Settings) -> list[_Attempt]:
    """In the order of the jobs. Raises ``NoQuestions``."""
    return [
        _Attempt(job, seed, question, build)
        for job in plan.jobs
        for build in (build_of_route(job.route, settings),)
        for questions in (spread_questions(plan.data, job.dataset, job.rows),)
        for seed in range(job.seeds)
        for question in questions
    ]


class Collector:
    """Makes attempts, several side by side, and keeps what came of them; ``advance`` is called after each."""

    def __init__(self, solver: Solver, settings: Settings, store: OutcomeStore, advance: Callable[[], None]) -> None:
        self._solver = solver
        self._settings = settings
        self._store = store
        self._advance = advance
        self._made: list[Outcome] = []
        self._kept = 0

    async def take(self, wanted: Sequence[_Attempt], places: int) -> int:
        """How many outcomes are new in the store. A fault ends the place that meets it, and is raised when the others
        have nothing left to do: where an engine is away they meet it as well."""
        # One iterator for all: a place takes the next attempt when it is free, whatever the others are still writing.
        left = iter(wanted)
        try:
            ended = await asyncio.gather(*(self._place(left) for _ in range(places)), return_exceptions=True)
        finally:
            await self._keep()
        for one in ended:
            if isinstance(one, BaseException):
                raise cause_of(one)
        return self._kept

    async def _place(self, left: Iterator[_Attempt]) -> None:
        for attempt in left:
            solved = await self._solved(attempt)
            if solved is not None:
                self._made.append(outcome_of(solved, attempt.job, attempt.seed, attempt.build))
            if len(self._made) >= _BATCH:
                await self._keep()
            self._advance()

    async def _keep(self) -> None:
        made, self._made = self._made, []
        await asyncio.to_thread(self._store.append, made)
        self._kept += len(made)

    async def _solved(self, attempt: _Attempt) -> Solved | None:
        temperature = self._settings.auto.temperature if attempt.seed else None
        try:
            return await self._solver.solve(attempt.question, attempt.job.route, "medium", attempt.seed, temperature)
        except* (NotGenerated, EngineRefused):
            # A question longer than the context is none for this route; an engine that is away ends the collection.
            pass
        return None


def outcome_of(solved: Solved, job: Job, seed: int, build: str) -> Outcome:
    question = solved.question
    return Outcome(
        id=question.id,
        question=question.question,
        family=job.dataset,
        split_key=question.split_key or question.id,
        form=question.form,
        route=job.route,
        seed=seed,
        value=solved.value,
        correct=solved.correct,
        tokens=solved.tokens,
        seconds=solved.seconds,
        evidence=solved.evidence,
        build=build,
        created=time.time(),
    )


def build_of_route(route: str, settings: Settings) -> str:
    """The models of a route (all where it names none) by digest, with their engines' builds and the bound of a step.
    Not where they run: outcomes that were handed on are not asked for again."""
    named = _MODELS.search(route)
    models = named["models"].split("+") if named else sorted(settings.models)
    engines = {name: without_address(build_of(settings.models[name].engine)) for name in models}
    parts = [f"{settings.models[name].sha256[:12] or name} {engine}" for name, engine in engines.items()]
    return f"{'; '.join(parts)}; steps of {settings.auto.step_tokens}"


def _itself(model: ChatModel) -> ChatModel:
    return model
