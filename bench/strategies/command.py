"""``python -m bench.strategies``: every strategy on the questions it is for, beside plain answers and the vote of as
many plain samples as it costs."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from rich.console import Console

from agents.sampling import Draw, Format, attempt_of
from bench.engines import engines_running
from bench.measured import measured
from bench.plot import PlottingMissing
from bench.pooled import Pool, Pooled, pool_of
from bench.questions import NoQuestions, Question, data_folder
from bench.record import machine, models_of, write_report
from bench.run import open_solver, progress_bar
from bench.solving import Drawn, Solved, Solver, side_by_side
from bench.strategies.aims import aims_of
from bench.strategies.kept import NAME, EarlierUnreadable, earlier_rows, merged
from bench.strategies.plan import KINDS, TEMPERATURE, TOP, Kind, Preparation, Trial, prepared
from bench.strategies.plot import plot, show
from bench.strategies.report import Outcome, Pools, StrategiesReport, StrategyRow, row, vote_rows, with_costs
from bench.strategies.selected import Plan, asked_as
from bench.strategies.timing import TIMING, Timing, plot_timing, show_timing
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from routers.acceptance.card import CardUnreadable
from workers.engines.errors import EngineError
from workers.model_files.errors import ModelUnavailable


class Bench:
    """Runs a plan over engines that answer, one model and data set after the other. ``earlier`` rows stay in the report
    where this run does not measure the same again."""

    def __init__(self, plan: Plan, settings: Settings, console: Console, earlier: Sequence[StrategyRow] = ()) -> None:
        self._plan = plan
        self._settings = settings
        self._console = console
        self._earlier = earlier
        self._measured: list[StrategyRow] = []

    async def run(self) -> StrategiesReport:
        """The report is written anew after each part, however it ends, so that what was measured is kept."""
        # The large model first: what its cot costs is what every cost is relative to.
        for model in sorted(self._plan.models, key=lambda name: name != self._settings.named("large")):
            for kind in self._plan.kinds():
                try:
                    await self._measure(kind, model)
                finally:
                    if self._measured:
                        write_report(self.report(), self._plan.results)
        return self.report()

    def report(self) -> StrategiesReport:
        """What is measured by now, and what earlier runs measured beside it."""
        head = StrategiesReport(bench=NAME, models=models_of(self._settings), aims=[], rows=[])
        stamp = {"commit": head.commit, "created": head.created}
        measured = [row.model_copy(update=stamp) for row in self._measured]
        rows = with_costs(merged(self._earlier, measured), self._settings)
        aims = aims_of(rows, self._settings.named("small"), self._settings.named("large"))
        return head.model_copy(update={"rows": rows, "aims": aims})

    async def _measure(self, kind: Kind, model: str) -> None:
        questions = self._plan.questions(kind)
        pools: dict[Format, Pool] = {}
        for form in kind.pools:
            async with self._solver(model, Preparation(form)) as solver:
                pools[form] = await self._pool(solver, kind, model, questions, form)
        if pools:
            self._measured += vote_rows(kind.dataset, model, pools, self._settings)
        for how in dict.fromkeys(trial.preparation for trial in kind.trials):
            async with self._solver(model, how) as solver:
                for trial in kind.trials:
                    if trial.preparation == how:
                        await self._try(solver, trial, kind, model, questions, pools)

    def _solver(self, model: str, how: Preparation) -> AbstractAsyncContextManager[Solver]:
        """Its strategies that vote draw from the pool of that format."""
        settings = prepared(self._settings, self._plan.samples_of(model, self._settings), how)
        return open_solver(settings, self._plan.cache, partial(Pooled, top=TOP))

    async def _pool(self, solver: Solver, kind: Kind, model: str, questions: Sequence[Question], form: Format) -> Pool:
        """The samples that all voting strategies share, drawn to their end."""
        gate = asyncio.Semaphore(self._plan.concurrency)
        count = self._plan.samples_of(model, self._settings) * self._plan.seeds
        draw = Draw(n=count, temperature=TEMPERATURE, top_logprobs=TOP)
        title = f"{kind.dataset} samples of {form}({model})"
        with progress_bar(self._console, title, len(questions)) as advance:

            async def one(question: Question) -> list[Drawn]:
                async with gate:
                    drawn = await solver.draw(question, model, attempt_of(form), draw)
                advance()
                return drawn

            drawn = await side_by_side(one(question) for question in questions)
        return await asyncio.to_thread(pool_of, questions, drawn, self._settings.models[model].parameters)

    async def _try(
        self, solver: Solver, trial: Trial, kind: Kind, model: str, questions: Sequence[Question], pools: Pools
    ) -> None:
        name = asked_as(trial, model, self._settings)
        if name is None:
            return
        # Samples of different seeds do not overlap.
        count = max(trial.seeds, self._plan.seeds) if trial.sampled else 1
        seeds = tuple(seed * self._plan.samples_of(model, self._settings) for seed in range(count))
        solved: list[tuple[Solved, ...]] = []
        for seed in seeds:
            with progress_bar(self._console, f"{kind.dataset} {trial.name}({model}) {seed}", len(questions)) as advance:
                made = await solver.solve_all(
                    questions, name, "medium", self._plan.concurrency, advance, seed, trial.temperature
                )
            solved.append(tuple(made))
        outcome = Outcome(model, kind.dataset, trial.name, seeds, tuple(solved))
        self._measured.append(row(outcome, pools, self._settings))


def main() -> None:
    options = _options()
    console = Console()
    try:
        settings = measured(load_settings(), options.threads)
        plan = _plan(options, settings)
        console.print(f"strategies on {machine()}; cache {plan.cache}")
        name = TIMING if options.timing else NAME
        earlier = [] if options.fresh else earlier_rows(plan.results, settings, console, name)
        bench = (Timing if options.timing else Bench)(plan, settings, console, earlier)
        plan.check()
        with engines_running(settings, console, options.threads):
            report = asyncio.run(bench.run())
        path = write_report(report, plan.results)
        (plot_timing if options.timing else plot)(report, path.with_suffix(".png"))
    except (
        NoQuestions,
        SettingsInvalid,
        PlottingMissing,
        StackError,
        ModelUnavailable,
        EngineError,
        CardUnreadable,
        EarlierUnreadable,
    ) as error:
        sys.exit(str(error))
    (show_timing if options.timing else show)(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.strategies", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with NAME.jsonl; else $TANDEM_BENCH_DATA")
    parser.add_argument("--dataset", action="append", default=[], help="one of the data sets; repeat for several")
    parser.add_argument("--only", action="append", default=[], help="one of the strategies; repeat for several")
    parser.add_argument("--model", choices=("small", "large", "both"), default="small", help="both: the whole plan")
    parser.add_argument("--rows", type=int, default=40, help="questions of each data set")
    parser.add_argument("--timing", action="store_true", help="how long one question takes alone; 4 --rows are enough")
    parser.add_argument("--samples", type=int, default=8, help="samples in a pool; of the large model at most 4")
    parser.add_argument("--seeds", type=int, default=1, help="pools, and runs of every strategy that samples")
    parser.add_argument("--concurrency", type=int, default=4, help="questions under way at once")
    parser.add_argument("--threads", type=int, default=0, help="threads of each engine; 0 takes the settings'")
    parser.add_argument("--cache", type=Path, help="cache of generations; by default beside the models")
    parser.add_argument("--results", type=Path, default=Path("bench/results"), help="where data and plot go")
    parser.add_argument("--fresh", action="store_true", help="drop what earlier runs measured from the report")
    return parser.parse_args()


def _plan(options: argparse.Namespace, settings: Settings) -> Plan:
    """Raises ``NoQuestions`` for a data set or a strategy that is not in the plan, or a number that makes no sense."""
    trials = [trial for kind in KINDS for trial in kind.trials]
    datasets, strategies = (
        [kind.dataset for kind in KINDS],
        [n for trial in trials for n in (trial.strategy, trial.name)],
    )
    for given, known in ((options.dataset, datasets), (options.only, strategies)):
        for name in given:
            if name not in known:
                raise NoQuestions(f"{name!r} is not measured here; known: {', '.join(dict.fromkeys(known))}")
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
