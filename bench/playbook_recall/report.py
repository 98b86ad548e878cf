"""From timed recalls to rows, aims, a table and a plot."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from bench.playbook_recall.guard import GuardRow
from bench.playbook_recall.timing import Stand
from bench.plot import blank
from bench.record import Aim, ReportHead

_AIM_MS = 5.0
_AIM_SIZE = 100_000
_AIM_FOUND = 0.95
_SCAN = "numpy scan"
_RECALL = "recall"


class RecallRow(BaseModel):
    """One way of asking a playbook of ``n`` entries, ``queries`` times one after the other: ``recall`` as before a run,
    or a search through all entries. Milliseconds from the call to the entries read, the embedding of the question
    apart; ``work_p50`` and ``work_p95`` are the processor time of it, in Redis and in the client, which other jobs on
    the machine change less. ``found`` is the share of the exact ten nearest, or of recalls that found the nearest
    topic; ``memory`` of Redis for all entries, in MiB, None for the scan."""

    model_config = ConfigDict(frozen=True)

    system: str
    setting: str
    dataset: str
    n: int
    queries: int
    p50: float
    p95: float
    p99: float
    work_p50: float
    work_p95: float
    found: float
    memory: float | None


class RecallReport(ReportHead):
    rows: list[RecallRow]
    guard: list[GuardRow]


def rows_of(dataset: str, stand: Stand) -> list[RecallRow]:
    rows = []
    for way, timed in stand.ways.items():
        p50, p95, p99 = (float(value) for value in np.percentile(np.asarray(timed.seconds) * 1000, (50, 95, 99)))
        work_p50, work_p95 = (float(value) for value in np.percentile(np.asarray(timed.work) * 1000, (50, 95)))
        rows.append(
            RecallRow(
                system=_SCAN if way == _SCAN else "playbook",
                setting="everything" if way == _SCAN else way,
                dataset=dataset,
                n=stand.size,
                queries=len(timed.seconds),
                p50=p50,
                p95=p95,
                p99=p99,
                work_p50=work_p50,
                work_p95=work_p95,
                found=timed.found,
                memory=None if way == _SCAN else stand.memory,
            )
        )
    return rows


def aims_of(rows: Sequence[RecallRow]) -> list[Aim]:
    """Of the largest playbook that was measured."""
    size = max(row.n for row in rows)
    largest = [row for row in rows if row.n == size]
    recalls = [row for row in largest if row.setting == _RECALL]
    asked = [row for row in largest if row.system != _SCAN]
    others = [row for row in largest if row.setting != _RECALL]
    short = "" if size >= _AIM_SIZE else f"; only {size} entries were measured"
    return [
        Aim(
            aim=f"recall from {_AIM_SIZE} entries takes less than {_AIM_MS:.0f} ms for 95 of 100 questions",
            target=f"p95 < {_AIM_MS:.0f} ms",
            measured=_said(recalls, lambda row: f"{row.p95:.1f} ms"),
            reached=size >= _AIM_SIZE and max(row.p95 for row in recalls) < _AIM_MS,
            why=f"of that processors worked, p95: {_said(recalls, lambda row: f'{row.work_p95:.1f} ms')}; a search "
            f"through all entries, for which no run waits: {_said(others, lambda row: f'{row.p95:.1f} ms')}{short}",
        ),
        Aim(
            aim="what is recalled is what is nearest",
            target=f"≥ {_AIM_FOUND:.2f} of the nearest topics, and of the exact ten nearest entries",
            measured=_said(asked, lambda row: f"{row.found:.2f}"),
            reached=min(row.found for row in asked) >= _AIM_FOUND,
            why="random vectors have no neighbours to speak of; clustered ones lie as questions do",
        ),
    ]


def _said(rows: Sequence[RecallRow], figure: Callable[[RecallRow], str]) -> str:
    return "; ".join(f"{row.dataset}, {_asked_for(row)}: {figure(row)}" for row in rows)


def _asked_for(row: RecallRow) -> str:
    return row.system if row.system == _SCAN else row.setting


def show(report: RecallReport, console: Console) -> None:
    table = Table(title=f"recall in ms, on {report.machine}")
    for column in ("vectors", "asked for", "entries", "p50", "p95", "p99", "work p95", "found", "MiB"):
        table.add_column(column, justify="left" if column in ("vectors", "asked for") else "right", no_wrap=True)
    for row in report.rows:
        times = (f"{value:.2f}" for value in (row.p50, row.p95, row.p99, row.work_p95))
        memory = "" if row.memory is None else f"{row.memory:.0f}"
        table.add_row(row.dataset, _asked_for(row), str(row.n), *times, f"{row.found:.3f}", memory)
    console.print(table)
    judged = Table(title="the guard, by simulation")
    for column in ("entry", "compared", "promoted", "demoted", "median", "longest"):
        judged.add_column(column, justify="left" if column in ("entry", "compared") else "right", no_wrap=True)
    for case in report.guard:
        took = ("–", "–") if case.median is None else (f"{case.median:.0f}", str(case.longest))
        judged.add_row(case.truth, case.way, f"{case.promoted} of {case.simulations}", str(case.demoted), *took)
    console.print(judged)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}; {aim.why}")


def plot(report: RecallReport, path: Path) -> None:
    """One panel for each kind of vectors: p50 to p95 over the number of entries. Raises ``PlottingMissing``."""
    datasets = list(dict.fromkeys(row.dataset for row in report.rows))
    figure = blank(5.5 * len(datasets), 4.2)
    for index, dataset in enumerate(datasets):
        axes = figure.add_subplot(1, len(datasets), index + 1)
        rows = [row for row in report.rows if row.dataset == dataset]
        for system, setting in dict.fromkeys((row.system, row.setting) for row in rows):
            line = [row for row in rows if (row.system, row.setting) == (system, setting)]
            above = [[0.0] * len(line), [row.p95 - row.p50 for row in line]]
            label = system if system == _SCAN else setting
            style = "--" if system == _SCAN else "-"
            sizes = [row.n for row in line]
            bars = axes.errorbar(sizes, [row.p50 for row in line], yerr=above, capsize=4, label=label, linestyle=style)
            worked = [row.work_p95 for row in line]
            axes.plot(sizes, worked, color=bars.lines[0].get_color(), linestyle=":", marker=".", linewidth=1)
        axes.axhline(_AIM_MS, linestyle=":", color="grey")
        axes.set_title(f"{dataset} vectors")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("entries")
        axes.set_ylabel("ms, median up to p95; dotted: p95 of processor time")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
