"""``python -m bench.playbook_recall``: how long the playbook takes to answer, how much of what is nearest it finds and
what it weighs in memory; and what its guard does with entries whose truth is known."""

import argparse
import asyncio
import socket
import sys
import tempfile
from pathlib import Path
from typing import get_args

from redis.asyncio import Redis
from rich.console import Console

from bench.playbook_recall.guard import guard_aims, guard_rows
from bench.playbook_recall.report import RecallReport, RecallRow, aims_of, plot, rows_of, show
from bench.playbook_recall.timing import measured, playbook_of
from bench.playbook_recall.vectors import Shape, cloud
from bench.plot import PlottingMissing
from bench.record import write_report
from orchestrator.addresses import LOOPBACK, redis_url
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.stack.part import StackError
from orchestrator.stack.parts import redis_part
from orchestrator.stack.supervisor import Supervisor

_SEED = 6
_SHAPES: tuple[Shape, ...] = get_args(Shape)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000], help="entries, in this order")
    parser.add_argument("--queries", type=int, default=500, help="questions for each size and way of asking")
    parser.add_argument("--shapes", nargs="+", choices=_SHAPES, default=list(_SHAPES), help="how the vectors lie")
    parser.add_argument("--results", type=Path, default=Path("bench/results"), help="where data and plot go")
    options = parser.parse_args()
    console = Console()
    sizes = sorted(options.sizes)
    try:
        with tempfile.TemporaryDirectory(prefix="tandem-recall-") as folder:
            settings = _settings(Path(folder), max(sizes))
            with Supervisor(Path(folder) / "logs", console.print) as supervisor:
                supervisor.start([[redis_part(settings)]])
                rows = asyncio.run(_rows(settings, options.shapes, sizes, options.queries, console))
        guard = guard_rows()
        aims = [*aims_of(rows), *guard_aims(guard)]
        report = RecallReport(bench="playbook-recall", models=[], rows=rows, guard=guard, aims=aims)
        path = write_report(report, options.results)
        plot(report, path.with_suffix(".png"))
    except (SettingsInvalid, StackError, PlottingMissing) as error:
        sys.exit(str(error))
    show(report, console)
    console.print(f"written: {path} and {path.with_suffix('.png')}")


def _settings(folder: Path, entries: int) -> Settings:
    """A Redis of its own, as ``tandem serve`` starts it: the append-only file is written here too. So many ``entries``
    of an owner are kept."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    return load_settings(
        environment={
            "TANDEM__STORAGE__DIRECTORY": str(folder),
            "TANDEM__REDIS__PORT": str(port),
            "TANDEM__PLAYBOOK__ENTRIES": str(entries),
        },
    )


async def _rows(
    settings: Settings, shapes: list[Shape], sizes: list[int], queries: int, console: Console
) -> list[RecallRow]:
    redis = Redis.from_url(redis_url(settings), socket_timeout=None)
    try:
        rows: list[RecallRow] = []
        for shape in shapes:
            vectors = cloud(shape, max(sizes), queries, _SEED)
            playbook = playbook_of(settings, redis, shape, vectors)
            async for stand in measured(redis, playbook, sizes, console.print):
                rows += rows_of(shape, stand)
            await redis.flushdb()
        return rows
    finally:
        await redis.aclose()
