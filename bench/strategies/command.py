"""``python -m bench.strategies``: every strategy on the questions it is for, beside plain answers and the vote of as
many plain samples as it costs."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from agents.sampling import Draw, Format, attempt_of
from bench.engines import engines_running
from bench.measured import measured
from bench.plot import PlottingMissing
from bench.pooled import Pool, Pooled, PoolVote, votes_of
from bench.questions import NoQuestions, Question, data_folder, spread_questions
from bench.record import Aim, Row, machine, new_report, write_report
from bench.run import open_solver, progress_bar
from bench.solving import Solved, Solver
from bench.strategies.plan import KINDS, TEMPERATURE, TOP, Kind, Trial, prepared
from bench.strategies.plot import plot, show
from bench.strategies.report import Outcome, aims_of, row, underspecified
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from orchestrator.strategies import build_strategies
from workers.model_files.errors import ModelUnavailable

# More samples of the large model cost more time than a benchmark has.
_LARGE_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. ``rows`` of each data set; pools of ``samples`` for each of ``seeds`` seeds; ``only`` these
    strategies (empty: all)."""

    data: Path
    cache: Path
    results: Path
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    only: tuple[str, ...]
    rows: int
    samples: int
    seeds: int
    concurrency: int


class Bench:
    """Runs a plan over engines that answer, one model and data set after the other."""

    def __init__(self, plan: Plan, settings: Settings, console: Console) -> None:
        self._plan = plan
        self._settings = settings
        self._console = console
        self._known = {*build_strategies(settings), "auto"}
        self._references: dict[str, Sequence[Solved]] = {}
        self._by_auto: dict[str, Sequence[Solved]] = {}
        self.rows: list[Row] = []
        self.aims: list[Aim] = []
        self.pools: dict[tuple[str, str], Pool] = {}

    async def run(self) -> None:
        # The large model first: what its cot costs is what every cost is relative to.
        for model in sorted(self._plan.models, key=lambda name: name != self._settings.named("large")):
            for kind in KINDS:
                if not self._plan.datasets or kind.dataset in self._plan.datasets:
                    await self._measure(kind, model)
        small, large = self._settings.named("small"), self._settings.named("large")
        asking = [kind.dataset for kind in KINDS if any(trial.strategy == "auto" for trial in kind.trials)]
        self.aims = [
            *aims_of(self.rows, small, large),
            *(underspecified(dataset, self._by_auto.get(dataset)) for dataset in asking),
        ]

    async def _measure(self, kind: Kind, model: str) -> None:
        trials = [trial for trial in kind.trials if self._wanted(trial)]
        if not trials:
            return
        questions = spread_questions(self._plan.data, kind.dataset, self._plan.rows, kind.wanted)
        for form in kind.pools or ("cot",):
            own = [trial for trial in trials if trial.format == form]
            if not own and form != kind.pools[0]:
                continue
            settings = prepared(self._settings, self._samples(model), form)
            async with open_solver(settings, self._plan.cache, partial(Pooled, top=TOP)) as solver:
                if form == "cot" and kind.pools:
                    self.pools[kind.dataset, model] = await self._pool(solver, kind, model, questions, form)
                for trial in own:
                    await self._try(solver, trial, kind, model, questions)

    def _wanted(self, trial: Trial) -> bool:
        if self._plan.only and trial.name not in self._plan.only and trial.strategy not in self._plan.only:
            return False
        if trial.strategy not in self._known:
            self._console.print(f"  there is no strategy {trial.strategy!r} here; it is left out")
            return False
        return True

    def _samples(self, model: str) -> int:
        large = model == self._settings.named("large")
        return min(self._plan.samples, _LARGE_SAMPLES) if large else self._plan.samples

    async def _pool(self, solver: Solver, kind: Kind, model: str, questions: Sequence[Question], form: Format) -> Pool:
        """The samples that all voting strategies share, drawn to their end."""
        gate = asyncio.Semaphore(self._plan.concurrency)
        draw = Draw(n=self._samples(model) * self._plan.seeds, temperature=TEMPERATURE, top_logprobs=TOP)
        parameters = self._settings.models[model].parameters
        with progress_bar(self._console, f"{kind.dataset} samples of {model}", len(questions)) as advance:

            async def one(question: Question) -> list[PoolVote]:
                async with gate:
                    drawn = await solver.draw(question, model, attempt_of(form), draw)
                samples, usages = [sample for sample, _ in drawn], [usage for _, usage in drawn]
                votes = await asyncio.to_thread(votes_of, samples, usages, question.answer, question.form, parameters)
                advance()
                return votes

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(question)) for question in questions]
        return Pool([task.result() for task in tasks])

    async def _try(self, solver: Solver, trial: Trial, kind: Kind, model: str, questions: Sequence[Question]) -> None:
        name = "auto" if trial.strategy == "auto" else f"{trial.strategy}({model})"
        if name == "auto" and model != self._settings.named("large"):
            return  # it chooses its models itself
        # Samples of different seeds do not overlap.
        seeds = tuple(s * self._samples(model) for s in range(self._plan.seeds if trial.sampled else 1))
        solved: list[tuple[Solved, ...]] = []
        for seed in seeds:
            with progress_bar(self._console, f"{kind.dataset} {trial.name}({model}) {seed}", len(questions)) as advance:
                made = await solver.solve_all(questions, name, "medium", self._plan.concurrency, advance, seed)
            solved.append(tuple(made))
        if trial.strategy == "cot" and model == self._settings.named("large"):
            self._references[kind.dataset] = solved[0]
        if trial.strategy == "auto":
            self._by_auto[kind.dataset] = solved[0]
        outcome = Outcome(model, kind.dataset, trial.name, seeds, tuple(solved))
        pool, reference = self.pools.get((kind.dataset, model)), self._references.get(kind.dataset)
        self.rows.append(row(outcome, pool, reference, self._settings))


def main() -> None:
    options = _options()
    console = Console()
    try:
        settings = measured(load_settings(), options.threads)
        plan = _plan(options, settings)
        console.print(f"strategies on {machine()}; cache {plan.cache}")
        with engines_running(settings, console):
            bench = Bench(plan, settings, console)
            asyncio.run(bench.run())
        report = new_report("strategies", settings, bench.rows, bench.aims)
        path = write_report(report, plan.results)
        plot(report, bench.pools, path.with_suffix(".png"))
    except (NoQuestions, SettingsInvalid, PlottingMissing, StackError, ModelUnavailable) as error:
        sys.exit(str(error))
    show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.strategies", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with NAME.jsonl; else $TANDEM_BENCH_DATA")
    parser.add_argument("--dataset", action="append", default=[], help="one of the data sets; repeat for several")
    parser.add_argument("--only", action="append", default=[], help="one of the strategies; repeat for several")
    parser.add_argument("--model", choices=("small", "large", "both"), default="small", help="both: the whole plan")
    parser.add_argument("--rows", type=int, default=40, help="questions of each data set")
    parser.add_argument("--samples", type=int, default=8, help="samples in a pool; of the large model at most 4")
    parser.add_argument("--seeds", type=int, default=1, help="pools, and runs of every strategy that samples")
    parser.add_argument("--concurrency", type=int, default=4, help="questions under way at once")
    parser.add_argument("--threads", type=int, default=0, help="threads of each engine; 0 takes the settings'")
    parser.add_argument("--cache", type=Path, help="cache of generations; by default beside the models")
    parser.add_argument("--results", type=Path, default=Path("bench/results"), help="where data and plot go")
    return parser.parse_args()


def _plan(options: argparse.Namespace, settings: Settings) -> Plan:
    """Raises ``NoQuestions`` for a data set that is not in the plan, or a number that makes no sense."""
    known = [kind.dataset for kind in KINDS]
    for dataset in options.dataset:
        if dataset not in known:
            raise NoQuestions(f"{dataset!r} is not measured here; known: {', '.join(known)}")
    for name in ("rows", "samples", "seeds", "concurrency"):
        if getattr(options, name) < 1:
            raise NoQuestions(f"--{name} {getattr(options, name)} is too few; give 1 or more")
    roles = {"small": ("small",), "large": ("large",), "both": ("large", "small")}[options.model]
    return Plan(
        data=data_folder(options.data),
        cache=options.cache or settings.storage.models.parent / "strategies.sqlite",
        results=options.results,
        datasets=tuple(options.dataset),
        models=tuple(settings.named("large" if role == "large" else "small") for role in roles),
        only=tuple(options.only),
        rows=options.rows,
        samples=options.samples,
        seeds=options.seeds,
        concurrency=options.concurrency,
    )
