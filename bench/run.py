"""Run a benchmark: engines up, questions in, a report, a plot and a table out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bench.main_job import Part, System, aims_of, rows_of, yardstick
from bench.plot import plot_frontier
from bench.questions import NoQuestions, read_questions
from bench.record import Aim, Report, Row, machine, new_report, write_report
from bench.solving import Solved, Solver, refuse_unknown
from orchestrator.compose import build_controller
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.settings import Settings
from orchestrator.strategies import build_strategies
from tools.sandbox.bubblewrap import BubblewrapSandbox
from workers.collaboration.local import Heads, LocalCollaboration
from workers.divergence.shelf import HeadShelf
from workers.models.cached import GenerationCache
from workers.models.protocol import ChatModel


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run; ``concurrency`` questions are under way at once."""

    name: str
    data: Path
    parts: tuple[Part, ...]
    cache: Path
    results: Path
    concurrency: int


@asynccontextmanager
async def open_solver(
    settings: Settings,
    cache: Path,
    around: Callable[[ChatModel], ChatModel] = lambda model: model,
    beneath: Callable[[ChatModel], ChatModel] = lambda model: model,
) -> AsyncIterator[Solver]:
    """A solver over engines that already run, with the sandbox in this process; ``around`` wraps its cached models,
    ``beneath`` what writes where the cache has nothing."""
    park = ModelPark(settings, None)
    generations = GenerationCache(cache)
    try:
        offers = Offers(settings, tuple(build_strategies(settings)))
        sandbox = BubblewrapSandbox()
        controller = build_controller(settings, offers, sandbox)
        collaboration = LocalCollaboration(park.engines, heads=_heads(settings))
        yield Solver(settings, offers, controller, park, generations, collaboration, sandbox, around, beneath)
    finally:
        generations.close()
        await park.aclose()


def _heads(settings: Settings) -> Heads:
    """The trained head of the configured pair, as the workers take it."""
    small, large = (settings.named("small"), settings.named("large"))
    digests = settings.models[small].sha256, settings.models[large].sha256
    head = HeadShelf().find(*digests, settings.collaboration.head)
    return {} if head is None else {(small, large): head}


def check(plan: Plan, settings: Settings) -> None:
    """Raises ``NoQuestions`` and ``RunRefused`` for what could not be run, before anything is started."""
    for part in plan.parts:
        if not read_questions(plan.data, part.dataset, part.rows):
            raise NoQuestions(f"data set {part.dataset!r} in {plan.data} has no questions")
        for system in part.systems:
            refuse_unknown(system.model, settings)


async def run(plan: Plan, settings: Settings, console: Console) -> Report:
    """Solve everything in the plan, one system after the other, then write data, plot and table. Raises ``EngineError``
    where an engine goes away; what it had generated is in the cache."""
    console.print(f"{plan.name} on {machine()}; seed 0; cache {plan.cache}")
    for name, model in settings.models.items():
        console.print(f"  {model.role:6} {name}  sha256 {model.sha256 or 'unknown'}")
    rows: list[Row] = []
    aims: list[Aim] = []
    references: dict[str, Sequence[Solved]] = {}
    async with open_solver(settings, plan.cache) as solver:
        for part in plan.parts:
            questions = read_questions(plan.data, part.dataset, part.rows)
            outcomes: dict[System, Sequence[Solved]] = {}
            for system in part.systems:
                with progress_bar(console, f"{part.dataset} {system.name}", len(questions)) as advance:
                    outcomes[system] = await solver.solve_all(
                        questions, system.model, system.effort, plan.concurrency, advance
                    )
            if yardstick(settings) in outcomes:
                references[part.dataset] = outcomes[yardstick(settings)]
            reference = references.get(part.dataset)
            rows += rows_of(part.dataset, outcomes, reference, settings)
            aims += aims_of(part.dataset, outcomes, reference, settings)
    report = new_report(plan.name, settings, rows, aims)
    path = write_report(report, plan.results)
    await asyncio.to_thread(plot_frontier, report, path.with_suffix(".png"))
    _show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")
    return report


@contextmanager
def progress_bar(console: Console, title: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar, or a line for each tenth where there is no terminal; yields the function that advances it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            progress.advance(task)
            if not console.is_terminal and 10 * done // total > 10 * (done - 1) // total:
                console.print(f"{title} {done}/{total}")

        yield advance


def _show(report: Report, console: Console) -> None:
    table = Table(title=f"{report.bench}: accuracy with 95 % interval, cost relative to large cot")
    for column in ("data set", "system", "n", "accuracy", "95 %", "cost", "large share", "tokens", "seconds"):
        table.add_column(column)
    for row in report.rows:
        written = sum(usage.completion for usage in row.tokens.values())
        table.add_row(
            row.dataset,
            row.system,
            str(row.n),
            f"{row.accuracy:.3f}",
            f"{row.ci95[0]:.2f}–{row.ci95[1]:.2f}",
            "" if row.cost is None else f"{row.cost:.2f}",
            f"{row.large_share:.2f}",
            str(written),
            f"{row.seconds:.0f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}. {aim.why}")
