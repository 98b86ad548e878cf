"""Accuracy against the share of tokens by the large model, with the line of random mixing."""

from pathlib import Path
from typing import Any

from bench.collaboration.plan import ALONE
from bench.plot import blank
from bench.record import Report, Row

_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def plot_shares(report: Report, path: Path) -> None:
    """One panel a set of questions. Raises ``PlottingMissing``."""
    sets = list(dict.fromkeys(row.dataset for row in report.rows))
    figure = blank(6.5 * len(sets), 5)
    for index, dataset in enumerate(sets):
        draw_panel(figure.add_subplot(1, len(sets), index + 1), [row for row in report.rows if row.dataset == dataset])
    figure.savefig(path, dpi=110)


def draw_panel(axes: Any, rows: list[Row]) -> None:
    """Rows of one set of questions, both models alone among them."""
    ends = {row.system: row for row in rows if row.system in ALONE}
    small, large = ends["small"], ends["large"]
    axes.plot([0, 1], [small.accuracy, large.accuracy], color="grey", linestyle="--", label="random mixing")
    curves = list(dict.fromkeys(_curve(row) for row in rows))
    for index, curve in enumerate(curves):
        points = sorted((row for row in rows if _curve(row) == curve), key=_share)
        axes.errorbar(
            [_share(row) for row in points],
            [row.accuracy for row in points],
            yerr=[
                [max(0.0, row.accuracy - row.ci95[0]) for row in points],
                [max(0.0, row.ci95[1] - row.accuracy) for row in points],
            ],
            marker=_MARKERS[index % len(_MARKERS)],
            linestyle=":",
            capsize=2,
            label=curve,
        )
    axes.set_title(f"{rows[0].dataset}, n = {rows[0].n}")
    axes.set_xlabel("share of the large model's tokens, those outside the answer included")
    axes.set_ylabel("accuracy")
    axes.set_xlim(-0.03, 1.03)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _share(row: Row) -> float:
    return row.extra["mixing_share"]


def _curve(row: Row) -> str:
    """Points of one line: settings of a policy that differ in its knob. A trained head's ablation is another policy."""
    return f"{row.system} by entropy alone" if "use_head=False" in row.setting else row.system
