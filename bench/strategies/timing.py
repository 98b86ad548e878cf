"""How long a reader waits for each strategy: one question at a time, nothing cached, nothing else on the engines."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.plot import blank
from bench.record import models_of, write_report
from bench.run import open_solver, progress_bar
from bench.solving import Solved
from bench.strategies.kept import merged
from bench.strategies.plan import Plan, asked_as
from bench.strategies.report import Outcome, StrategiesReport, StrategyRow, row
from bench.strategies.trials import Kind, Trial, prepared
from orchestrator.settings import Settings

TIMING = "strategies-timing"


class Timing:
    """Times the trials of a plan. ``extra`` of a row has seconds from the request to the whole answer, sandbox and all:
    ``wait_median``, ``wait_least`` and ``wait_most`` over the questions."""

    def __init__(self, plan: Plan, settings: Settings, console: Console, earlier: Sequence[StrategyRow] = ()) -> None:
        self._plan = plan
        self._settings = settings
        self._console = console
        self._earlier = earlier
        self._timed: list[StrategyRow] = []

    async def run(self) -> StrategiesReport:
        """The report is written anew after each trial."""
        for model in self._plan.models:
            for kind in self._plan.kinds():
                for trial in kind.trials:
                    await self._time(trial, kind, model)
        return self.report()

    def report(self) -> StrategiesReport:
        head = StrategiesReport(bench=TIMING, models=models_of(self._settings), aims=[], rows=[])
        stamp = {"commit": head.commit, "created": head.created}
        timed = [one.model_copy(update=stamp) for one in self._timed]
        return head.model_copy(update={"rows": merged(self._earlier, timed)})

    async def _time(self, trial: Trial, kind: Kind, model: str) -> None:
        name = asked_as(trial, model, self._settings)
        if name is None:
            return
        questions = self._plan.questions(kind)
        settings = prepared(self._settings, self._plan.samples_of(model, self._settings), trial.preparation)
        waits: list[float] = []
        solved: list[Solved] = []
        title = f"{kind.dataset} {trial.name}({model}) alone"
        # A cache of its own, since strategies that vote share their samples elsewhere.
        with tempfile.TemporaryDirectory() as cache, progress_bar(self._console, title, len(questions)) as advance:
            async with open_solver(settings, Path(cache) / "cache.sqlite") as solver:
                for question in questions:
                    started = time.monotonic()
                    solved.append(await solver.solve(question, name, "medium", 0, trial.temperature))
                    waits.append(time.monotonic() - started)
                    advance()
        outcome = Outcome(model, kind.dataset, trial.name, (0,), (tuple(solved),))
        timed = row(outcome, {}, settings)
        waited = {"wait_median": statistics.median(waits), "wait_least": min(waits), "wait_most": max(waits)}
        self._timed.append(timed.model_copy(update={"extra": {**timed.extra, **waited}}))
        write_report(self.report(), self._plan.results)


def plot_timing(report: StrategiesReport, path: Path) -> None:
    """Write a PNG: one bar for each row, from the median, with the span as a line. Raises ``PlottingMissing``."""
    figure = blank(9, 1.5 + 0.28 * len(report.rows))
    axes = figure.add_subplot()
    for place, one in enumerate(report.rows):
        median, least, most = (one.extra[f"wait_{name}"] for name in ("median", "least", "most"))
        axes.barh(place, median, color="tab:blue", alpha=0.7)
        axes.plot((least, most), (place, place), color="black", linewidth=1)
    axes.set_yticks(range(len(report.rows)), [f"{one.dataset} {one.system}" for one in report.rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("seconds for one question alone: median, least and most")
    axes.grid(alpha=0.3, axis="x")
    figure.savefig(path, dpi=110)


def show_timing(report: StrategiesReport, console: Console) -> None:
    table = Table(title="strategies: seconds for one question alone")
    for column in ("data set", "system", "n", "median", "least", "most", "tokens", "in a row"):
        table.add_column(column)
    for one in report.rows:
        waits = (f"{one.extra[f'wait_{name}']:.1f}" for name in ("median", "least", "most"))
        tokens = (f"{one.extra[name]:.0f}" for name in ("tokens_per_question", "chain_tokens"))
        table.add_row(one.dataset, one.system, str(one.n), *waits, *tokens)
    console.print(table)
