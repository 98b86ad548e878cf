"""From timings to rows, aims, a table and a plot."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from bench.latency.client import Load, Rounds, Timing
from bench.latency.targets import LITELLM, REPLY
from bench.plot import blank
from bench.record import Aim, ReportHead

_RESAMPLES = 10_000
_AIM = 0.5
_DIRECT, _TANDEM, _PROXY = "direct", "tandem", f"litellm {LITELLM}"

Interval = tuple[float, float]


class LatencyRow(BaseModel):
    """One system under one load, in milliseconds. ``added``: median over the rounds of this system's time to first
    content minus the engine's own in the same round, with its bootstrap interval."""

    model_config = ConfigDict(frozen=True)

    system: str
    setting: str
    dataset: str
    n: int
    rounds: int
    clients: int
    first_median: float
    first_p95: float
    total_median: float
    total_p95: float
    added: float | None
    added_ci95: Interval | None
    seconds: float


class LatencyReport(ReportHead):
    rows: list[LatencyRow]


def rows_of(load: Load, rounds: Rounds) -> list[LatencyRow]:
    """A row for each system."""
    return [_row(load, rounds, system) for system in rounds[0]]


def aim_of(load: Load, rounds: Rounds) -> Aim:
    """What the gateway adds as a share of what LiteLLM adds; the interval resamples rounds."""
    tandem, proxy = _added(rounds, _TANDEM), _added(rounds, _PROXY)
    picks = _resamples(len(rounds))
    ratio = float(np.median(tandem) / np.median(proxy))
    ratios = np.median(tandem[picks], axis=1) / np.median(proxy[picks], axis=1)
    low, high = _interval(ratios)
    reached = high < _AIM
    sure = "the whole interval is below half" if reached else "the interval is not wholly below half"
    return Aim(
        aim=f"time to first content that the gateway adds, below half of what LiteLLM adds, {_setting(load)}",
        target=f"ratio < {_AIM}",
        measured=f"{ratio:.2f} [{low:.2f}, {high:.2f}]: {np.median(tandem):.2f} ms against {np.median(proxy):.2f} ms",
        reached=reached,
        why=f"{sure}; both stand before the same scripted engine and were measured in the same rounds",
    )


def show(report: LatencyReport, console: Console) -> None:
    table = Table(title=f"{report.bench}: time to first content in ms, on {report.machine}")
    for column in ("load", "system", "n", "median", "p95", "added", "95 %", "whole"):
        table.add_column(column, justify="left" if column in ("load", "system") else "right", no_wrap=True)
    for row in report.rows:
        table.add_row(
            row.setting,
            row.system,
            str(row.n),
            f"{row.first_median:.1f}",
            f"{row.first_p95:.1f}",
            "" if row.added is None else f"{row.added:.1f}",
            "" if row.added_ci95 is None else "{:.1f}–{:.1f}".format(*row.added_ci95),
            f"{row.total_median:.1f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}; {aim.why}")


def plot(report: LatencyReport, path: Path) -> None:
    """One panel a load: what each system adds, with its interval. Raises ``PlottingMissing``."""
    settings = list(dict.fromkeys(row.setting for row in report.rows))
    figure = blank(4.5 * len(settings), 4)
    for index, setting in enumerate(settings):
        axes = figure.add_subplot(1, len(settings), index + 1)
        for row in report.rows:
            if row.setting != setting or row.added is None or row.added_ci95 is None:
                continue
            low, high = row.added_ci95
            color = "tab:orange" if row.system == _TANDEM else "tab:blue"
            axes.bar(row.system, row.added, yerr=[[row.added - low], [high - row.added]], color=color, capsize=5)
        axes.set_title(setting)
        axes.set_ylabel("ms added to the first content")
        axes.grid(axis="y", alpha=0.3)
    figure.savefig(path, dpi=110)


def _row(load: Load, rounds: Rounds, system: str) -> LatencyRow:
    timings = [timing for entry in rounds for timing in entry[system]]
    first = np.array([timing.first for timing in timings]) * 1000
    total = np.array([timing.total for timing in timings]) * 1000
    added = None if system == _DIRECT else _added(rounds, system)
    return LatencyRow(
        system=system,
        setting=_setting(load),
        dataset=f"scripted answer of {len(REPLY)} tokens",
        n=len(timings),
        rounds=len(rounds),
        clients=load.clients,
        first_median=float(np.median(first)),
        first_p95=float(np.percentile(first, 95)),
        total_median=float(np.median(total)),
        total_p95=float(np.percentile(total, 95)),
        added=None if added is None else float(np.median(added)),
        added_ci95=None if added is None else _interval(np.median(added[_resamples(len(added))], axis=1)),
        seconds=float(total.sum() / 1000 / load.clients),
    )


def _added(rounds: Rounds, system: str) -> NDArray[np.float64]:
    """For each round, the system's median minus the engine's, in milliseconds."""
    return np.array([_median_first(entry[system]) - _median_first(entry[_DIRECT]) for entry in rounds]) * 1000


def _median_first(timings: Sequence[Timing]) -> float:
    return float(np.median([timing.first for timing in timings]))


def _resamples(rounds: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, rounds, size=(_RESAMPLES, rounds))


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def _setting(load: Load) -> str:
    return "1 client" if load.clients == 1 else f"{load.clients} clients"
