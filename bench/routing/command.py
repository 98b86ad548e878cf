"""``python -m bench.routing``: routers and the answer-side policy beside every constant route and the oracle.

Everything comes from stored outcomes; nothing is generated."""

import argparse
import asyncio
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.plot import PlottingMissing
from bench.questions import NoQuestions
from bench.record import write_report
from bench.routing.bench import Bench, Options, fits_of
from bench.routing.plot import plot
from bench.routing.report import RoutingReport
from orchestrator.outcomes.store import OutcomesUnreadable
from orchestrator.settings_file import SettingsInvalid, load_settings
from routers.acceptance.fitting import TrainingMissing
from routers.acceptance.training import TooFewOutcomes
from routers.estimators import table


def main() -> None:
    parsed = _parser().parse_args()
    console = Console()
    try:
        settings = load_settings()
        options = Options(
            outcomes=parsed.outcomes or settings.storage.directory / "outcomes",
            results=parsed.results,
            data=parsed.data,
            seed=parsed.seed,
            draws=parsed.draws,
            risk=parsed.risk,
            routers=tuple(parsed.router),
        )
        report = asyncio.run(Bench(options, settings, console).run())
        path = write_report(report, options.results)
        plot(report, path.with_suffix(".png"))
    except (
        SettingsInvalid,
        OutcomesUnreadable,
        NoQuestions,
        TooFewOutcomes,
        table.TooFewOutcomes,
        TrainingMissing,
        PlottingMissing,
    ) as error:
        sys.exit(str(error))
    _show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description=__doc__)
    parser.add_argument("--outcomes", type=Path, help="folder of outcomes; by default in the data directory")
    parser.add_argument("--data", type=Path, help="folder with NAME.jsonl, for questions of another kind")
    parser.add_argument("--results", type=Path, default=Path("bench/results"), help="where data and plot go")
    parser.add_argument("--seed", type=int, default=0, help="of folds, training and draws")
    parser.add_argument("--draws", type=int, default=2000, help="of the bootstrap")
    parser.add_argument("--router", action="append", default=[], choices=list(fits_of({})), help="repeat for several")
    parser.add_argument("--risk", type=float, default=0.1, help="at which coverage is compared")
    return parser


def _show(report: RoutingReport, console: Console) -> None:
    shown = Table(title=f"routing on {report.rows[0].dataset}, n = {report.rows[0].n}: 95 % intervals")
    for column in ("system", "setting", "accuracy", "95 %", "cost", "above the constants", "95 %"):
        shown.add_column(column)
    for row in report.pooled:
        above, low, high = (row.extra[f"above_constants{end}"] * 100 for end in ("", "_low", "_high"))
        shown.add_row(
            row.system,
            row.setting,
            f"{row.accuracy:.3f}",
            f"{row.ci95[0]:.2f}–{row.ci95[1]:.2f}",
            f"{row.cost:.2f}",
            f"{above:+.1f}",
            f"{low:+.1f}–{high:+.1f}",
        )
    console.print(shown)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}. {aim.why}")
