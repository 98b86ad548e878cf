"""``python -m bench.latency``: what the gateway adds to a pass-through request, beside the LiteLLM proxy.

The scripted engine answers for both and, called directly, is what both are compared with.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.latency.client import Load, UnexpectedAnswer, measure
from bench.latency.report import LatencyReport, LatencyRow, aim_of, plot, rows_of, show
from bench.latency.targets import MODEL, Target, litellm_python, targets_running
from bench.plot import PlottingMissing
from bench.record import Aim, write_report
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="rounds at one client, one request a target and round")
    parser.add_argument("--crowded-rounds", type=int, default=24, help="rounds with many clients")
    parser.add_argument("--clients", type=int, default=32, help="how many clients are many")
    parser.add_argument("--requests", type=int, default=1, help="requests of each in a round, one after the other")
    parser.add_argument("--results", type=Path, default=Path("bench/results"), help="where data and plot go")
    options = parser.parse_args()
    loads = (Load(1, options.rounds, 1), Load(options.clients, options.crowded_rounds, options.requests))
    console = Console()
    try:
        python = litellm_python(load_settings().storage.models.parent, console.print)
        with (
            tempfile.TemporaryDirectory(prefix="tandem-latency-") as folder,
            targets_running(Path(folder), python, console.print) as targets,
        ):
            report = _measured(targets, loads, console)
        path = write_report(report, options.results)
        plot(report, path.with_suffix(".png"))
    except (SettingsInvalid, StackError, UnexpectedAnswer, PlottingMissing, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
    show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _measured(targets: tuple[Target, ...], loads: tuple[Load, ...], console: Console) -> LatencyReport:
    rows: list[LatencyRow] = []
    aims: list[Aim] = []
    with Progress(console=console) as progress:
        for load in loads:
            task = progress.add_task(f"{load.clients} at once", total=load.rounds)
            rounds = asyncio.run(measure(targets, load, partial(progress.advance, task)))
            rows += rows_of(load, rounds)
            aims.append(aim_of(load, rounds))
    models = [{"role": "large", "name": f"scripted engine as {MODEL!r}", "sha256": ""}]
    return LatencyReport(bench="gateway-latency", models=models, rows=rows, aims=aims)
