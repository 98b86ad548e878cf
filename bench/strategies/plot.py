"""The strategies' report as a picture and as a table: accuracy against cost, beside votes of plain samples."""

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.plot import blank
from bench.record import Row
from bench.strategies.aims import standing
from bench.strategies.report import StrategiesReport, StrategyRow, is_vote

_VERDICTS = {-1.0: "loses", 0.0: "", 1.0: "wins"}
_BEYOND_POOL = "costs more than the pool"
_COLUMNS = 4


def plot(report: StrategiesReport, path: Path) -> None:
    """Write a PNG: one panel for each data set and model. Where samples can vote the majorities of each format are
    lines, and costs are in samples of the first; elsewhere they are in tokens. Raises ``PlottingMissing``."""
    panels = list(dict.fromkeys((row.dataset, model_of(row)) for row in report.rows))
    columns = max(1, min(_COLUMNS, len(panels)))
    lines = max(1, math.ceil(len(panels) / columns))
    figure = blank(6.5 * columns, 5 * lines)
    for index, (dataset, model) in enumerate(panels):
        rows = [row for row in report.rows if (row.dataset, model_of(row)) == (dataset, model)]
        axes = figure.add_subplot(lines, columns, index + 1)
        axes.set_title(f"{dataset}, {model}, n = {_span([row.n for row in rows])}")
        _panel(axes, rows)
    figure.savefig(path, dpi=110)


def model_of(row: Row) -> str:
    """For example "small" of the system "cot(small)"."""
    return row.system.rpartition("(")[2].removesuffix(")")


def curves(rows: Sequence[StrategyRow]) -> dict[str, list[tuple[float, float]]]:
    """The votes among ``rows``: by what votes, cost and accuracy for each number of samples."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in filter(is_vote, rows):
        found.setdefault(_name(row), []).append((row.extra["samples"], row.accuracy))
    return {name: sorted(points) for name, points in found.items()}


def _panel(axes: object, rows: list[StrategyRow]) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    in_samples = all("samples" in row.extra for row in rows)
    for number, (name, points) in enumerate(curves(rows).items()):
        axes.plot(*zip(*points, strict=True), color="grey", linestyle="-" if number == 0 else "--", label=name)
        axes.legend(fontsize=8)
    for row in rows:
        if is_vote(row):
            continue
        low, high = row.ci95
        cost = row.extra["samples" if in_samples else "tokens_per_question"]
        loses = row.extra.get("against_votes", 0.0) < 0
        axes.errorbar(
            cost,
            row.accuracy,
            yerr=[[max(0.0, row.accuracy - low)], [max(0.0, high - row.accuracy)]],
            fmt="x" if loses else "o",
            color="tab:red" if loses else "tab:blue",
            capsize=3,
            alpha=0.8,
        )
        axes.annotate(_name(row), (cost, row.accuracy), xytext=(6, 4), textcoords="offset points", fontsize=8)
    axes.set_xlabel("cost in plain samples" if in_samples else "tokens per question")
    axes.set_ylabel("accuracy")
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)


def show(report: StrategiesReport, console: Console) -> None:
    table = Table(title="strategies: accuracy with 95 % interval, and the votes of as many samples as each costs")
    votes = ("samples", "vote of as many", "difference", "of programs", "difference", "")
    for column in ("data set", "system", "n", "accuracy", "95 %", "cost", *votes, "tokens", "in a row", "seconds"):
        table.add_column(column)
    for row in report.rows:
        if is_vote(row):
            continue
        table.add_row(
            row.dataset,
            row.system,
            f"{row.n}×{len(row.seeds)}",
            f"{row.accuracy:.3f}",
            f"{row.ci95[0]:.2f}–{row.ci95[1]:.2f}",
            "" if row.cost is None else f"{row.cost:.2f}",
            f"{row.extra['samples']:.1f}" if "samples" in row.extra else "",
            *_voted(row, ""),
            *_voted(row, "_program"),
            _verdict(row),
            f"{row.extra['tokens_per_question']:.0f}",
            f"{row.extra['chain_tokens']:.0f}",
            f"{row.seconds:.0f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{standing(aim)}: {aim.aim}: {aim.measured}. {aim.why}")


def _voted(row: StrategyRow, suffix: str) -> tuple[str, str]:
    """The vote of the pool with that ``suffix`` that costs as much, and how far the strategy is from it."""
    if f"votes_accuracy{suffix}" not in row.extra:
        return "", ""
    accuracy, samples, mean, low, high = (
        row.extra[f"{name}{suffix}"]
        for name in ("votes_accuracy", "votes_samples", "difference", "difference_low", "difference_high")
    )
    return f"{accuracy:.3f} of {samples:.1f}", f"{mean * 100:+.1f} [{low * 100:+.0f}, {high * 100:+.0f}]"


def _verdict(row: StrategyRow) -> str:
    verdict = row.extra.get("against_votes", 0.0)
    beyond = any(value for name, value in row.extra.items() if name.startswith("beyond_pool"))
    return _BEYOND_POOL if beyond and not verdict else _VERDICTS[verdict]


def _name(row: Row) -> str:
    """Without the model, which a panel's title has."""
    return row.system.rpartition("(")[0]


def _span(counts: Sequence[int]) -> str:
    return str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
