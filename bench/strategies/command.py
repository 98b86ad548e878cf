"""``python -m bench.strategies``: every strategy on the questions it is for, beside plain answers and the vote of as
many plain samples as it costs."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console

from bench.engines import engines_running
from bench.measured import measured
from bench.plot import PlottingMissing
from bench.questions import NoQuestions, data_folder
from bench.record import machine, write_report
from bench.strategies.kept import NAME, EarlierUnreadable, earlier_rows
from bench.strategies.measuring import Measuring
from bench.strategies.plan import Plan
from bench.strategies.plot import plot, show
from bench.strategies.report import StrategiesReport, StrategyRow
from bench.strategies.timing import TIMING, Timing, plot_timing, show_timing
from bench.strategies.trials import KINDS
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from routers.acceptance.card import CardUnreadable
from workers.engines.errors import EngineError
from workers.model_files.errors import ModelUnavailable


class _Run(Protocol):
    async def run(self) -> StrategiesReport: ...


@dataclass(frozen=True, slots=True)
class _Measure:
    """What can be asked of a plan: ``name`` is its file's, ``over`` takes earlier rows too."""

    name: str
    over: Callable[[Plan, Settings, Console, Sequence[StrategyRow]], _Run]
    plot: Callable[[StrategiesReport, Path], None]
    show: Callable[[StrategiesReport, Console], None]


_ACCURACY = _Measure(NAME, Measuring, plot, show)
_WAITING = _Measure(TIMING, Timing, plot_timing, show_timing)


def main() -> None:
    options = _options()
    console = Console()
    try:
        settings = measured(load_settings(), options.threads)
        plan = _plan(options, settings)
        console.print(f"strategies on {machine()}; cache {plan.cache}")
        measure: _Measure = options.measure
        earlier = [] if options.fresh else earlier_rows(plan.results, settings, console, measure.name)
        measuring = measure.over(plan, settings, console, earlier)
        plan.check()
        with engines_running(settings, console, options.threads):
            report = asyncio.run(measuring.run())
        path = write_report(report, plan.results)
        measure.plot(report, path.with_suffix(".png"))
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
    measure.show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.strategies", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with NAME.jsonl; else $TANDEM_BENCH_DATA")
    parser.add_argument("--dataset", action="append", default=[], help="one of the data sets; repeat for several")
    parser.add_argument("--only", action="append", default=[], help="one of the strategies; repeat for several")
    parser.add_argument("--model", choices=("small", "large", "both"), default="small", help="both: the whole plan")
    parser.add_argument("--rows", type=int, default=40, help="questions of each data set")
    parser.add_argument(
        "--timing",
        dest="measure",
        action="store_const",
        const=_WAITING,
        default=_ACCURACY,
        help="how long one question takes alone; 4 --rows are enough",
    )
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
    datasets = [kind.dataset for kind in KINDS]
    strategies = [name for trial in trials for name in (trial.strategy, trial.name)]
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
