"""The strategies' report as a picture and as a table: accuracy against cost, beside votes of plain samples."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.plot import blank
from bench.pooled import Pool
from bench.record import Report, Row
from bench.strategies.report import standing

_VERDICTS = {-1.0: "loses", 0.0: "", 1.0: "wins"}
_BEYOND_POOL = "costs more than the pool"


def plot(report: Report, pools: Mapping[tuple[str, str], Pool], path: Path) -> None:
    """Write a PNG: one panel for each data set and model. Where samples can vote their majority is a line, and costs
    are in samples; elsewhere they are in tokens. Raises ``PlottingMissing``."""
    panels = list(dict.fromkeys((row.dataset, model_of(row)) for row in report.rows))
    figure = blank(6.5 * max(1, len(panels)), 5)
    for index, (dataset, model) in enumerate(panels):
        rows = [row for row in report.rows if (row.dataset, model_of(row)) == (dataset, model)]
        axes = figure.add_subplot(1, len(panels), index + 1)
        axes.set_title(f"{dataset}, {model}, n = {rows[0].n}")
        _panel(axes, pools.get((dataset, model)), rows)
    figure.savefig(path, dpi=110)


def model_of(row: Row) -> str:
    """For example "small" of the system "cot(small)"."""
    return row.system.rpartition("(")[2].removesuffix(")")


def _panel(axes: object, pool: Pool | None, rows: list[Row]) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    if pool is not None:
        sizes = range(1, pool.size + 1)
        axes.plot(sizes, [_mean(pool.majority(size)) for size in sizes], color="grey", label="vote of plain samples")
        axes.legend(fontsize=8)
    for row in rows:
        low, high = row.ci95
        cost = row.extra["tokens_per_question"] if pool is None else row.extra["samples"]
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
        name = row.system.rpartition("(")[0]
        axes.annotate(name, (cost, row.accuracy), xytext=(6, 4), textcoords="offset points", fontsize=8)
    axes.set_xlabel("tokens per question" if pool is None else "cost in plain samples")
    axes.set_ylabel("accuracy")
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)


def show(report: Report, console: Console) -> None:
    table = Table(title="strategies: accuracy with 95 % interval, and the vote of as many samples as each costs")
    columns = ("data set", "system", "n", "accuracy", "95 %", "cost", "samples", "vote of as many", "difference", "")
    for column in (*columns, "tokens", "in a row"):
        table.add_column(column)
    for row in report.rows:
        table.add_row(
            row.dataset,
            row.system,
            f"{row.n}×{len(row.seeds)}",
            f"{row.accuracy:.3f}",
            f"{row.ci95[0]:.2f}–{row.ci95[1]:.2f}",
            "" if row.cost is None else f"{row.cost:.2f}",
            *_voted(row),
            f"{row.extra['tokens_per_question']:.0f}",
            f"{row.extra['chain_tokens']:.0f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{standing(aim)}: {aim.aim}: {aim.measured}. {aim.why}")


def _voted(row: Row) -> tuple[str, str, str, str]:
    if "samples" not in row.extra:
        return "", "", "", ""
    extra = row.extra
    interval = f"[{extra['difference_low'] * 100:+.0f}, {extra['difference_high'] * 100:+.0f}]"
    return (
        f"{extra['samples']:.1f}",
        f"{extra['votes_accuracy']:.3f} of {extra['votes_samples']:.1f}",
        f"{extra['difference'] * 100:+.1f} {interval}",
        _BEYOND_POOL if extra["beyond_pool"] else _VERDICTS[extra["against_votes"]],
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
