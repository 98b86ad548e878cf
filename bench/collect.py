"""Collect outcomes: questions × routes × seeds, each attempted once and kept for routers to learn from."""

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

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
_QUESTIONS_A_PLACE = 4
"""So that few places are empty while the longest answer of a batch is written."""
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

    def __add__(self, other: "Collected") -> "Collected":
        return Collected(self.added + other.added, self.before + other.before, self.left + other.left)


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
    total = Collected()
    beneath = StoredOnly if plan.cached_only else _itself
    async with open_solver(settings, plan.cache, beneath=beneath) as solver:
        collector = Collector(solver, settings, store, known, plan.concurrency)
        for job in plan.jobs:
            questions = spread_questions(plan.data, job.dataset, job.rows)
            with progress_bar(console, f"{job.dataset} {job.route}", len(questions) * job.seeds) as advance:
                for seed in range(job.seeds):
                    for batch in _batches(questions, plan.concurrency * _QUESTIONS_A_PLACE):
                        total += await collector.take(batch, job, seed)
                        for _ in batch:
                            advance()
    return total


class Collector:
    """Solves what the store does not know yet, batch by batch."""

    def __init__(
        self, solver: Solver, settings: Settings, store: OutcomeStore, known: set[Key], concurrency: int
    ) -> None:
        self._solver = solver
        self._settings = settings
        self._store = store
        self._known = known
        self._gate = asyncio.Semaphore(concurrency)

    async def take(self, questions: Sequence[Question], job: Job, seed: int) -> Collected:
        build = build_of_route(job.route, self._settings)
        wanted = [q for q in questions if (q.id, job.route, seed, build) not in self._known]
        tried = await asyncio.gather(*(self._one(question, job, seed) for question in wanted), return_exceptions=True)
        solved = [one for one in tried if isinstance(one, Solved)]
        outcomes = [outcome_of(one, job, seed, build) for one in solved]
        # What was answered before an engine went away is kept.
        await asyncio.to_thread(self._store.append, outcomes)
        for one in tried:
            if isinstance(one, BaseException):
                raise cause_of(one)
        return Collected(len(solved), len(questions) - len(wanted), len(wanted) - len(solved))

    async def _one(self, question: Question, job: Job, seed: int) -> Solved | None:
        temperature = self._settings.auto.temperature if seed else None
        async with self._gate:
            try:
                return await self._solver.solve(question, job.route, "medium", seed, temperature)
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
    """The models of a route (all where it names none) by digest, with their engines' builds and the bound of a step."""
    named = _MODELS.search(route)
    models = named["models"].split("+") if named else sorted(settings.models)
    parts = [f"{settings.models[name].sha256[:12] or name} {build_of(settings.models[name].engine)}" for name in models]
    return f"{'; '.join(parts)}; steps of {settings.auto.step_tokens}"


def _itself(model: ChatModel) -> ChatModel:
    return model


def _batches(questions: Sequence[Question], size: int) -> Iterator[Sequence[Question]]:
    for start in range(0, len(questions), size):
        yield questions[start : start + size]
