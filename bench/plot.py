"""A blank figure for every plot; accuracy against cost, one panel for each set of questions, with 95 % intervals."""

from pathlib import Path
from typing import TYPE_CHECKING

from bench.record import Report, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class PlottingMissing(Exception):
    """matplotlib is not installed; the message ends with the command that installs it."""


def blank(width: float, height: float) -> "Figure":
    """An empty figure of so many inches, to be saved as PNG. Raises ``PlottingMissing``."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlottingMissing("plots need matplotlib: pip install -e '.[bench]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plot_frontier(report: Report, path: Path) -> None:
    """Write a PNG of every row that has a cost, the oracle as a line. Raises ``PlottingMissing``."""
    sets = list(dict.fromkeys((row.dataset, row.n) for row in report.rows))
    figure = blank(6.5 * len(sets), 5)
    for index, (dataset, n) in enumerate(sets):
        axes = figure.add_subplot(1, len(sets), index + 1)
        rows = [row for row in report.rows if (row.dataset, row.n) == (dataset, n)]
        _panel(axes, f"{dataset}, n = {n}", rows)
    figure.savefig(path, dpi=110)


def _panel(axes: object, title: str, rows: list[Row]) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    for row in rows:
        if row.cost is None:
            axes.axhline(row.accuracy, linestyle=":", color="grey")
            axes.annotate(row.system, (0.02, row.accuracy), xycoords=("axes fraction", "data"), fontsize=8)
            continue
        auto = row.system.startswith("auto")
        low, high = row.ci95
        axes.errorbar(
            row.cost,
            row.accuracy,
            yerr=[[max(0.0, row.accuracy - low)], [max(0.0, high - row.accuracy)]],
            fmt="o" if auto else "s",
            color="tab:orange" if auto else "tab:blue",
            capsize=3,
        )
        axes.annotate(row.system, (row.cost, row.accuracy), xytext=(6, 4), textcoords="offset points", fontsize=8)
    axes.set_title(title)
    axes.set_xlabel("cost (large cot = 1)")
    axes.set_ylabel("accuracy")
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
