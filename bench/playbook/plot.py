"""Accuracy and tokens over the stream, with and without the playbook."""

from pathlib import Path

from bench.playbook.report import WINDOW, WITH, WITHOUT, PlaybookReport
from bench.plot import blank


def plot(report: PlaybookReport, path: Path) -> None:
    """Two panels of moving averages with their 95 % intervals. Raises ``PlottingMissing``."""
    figure = blank(11, 4.2)
    for index, (title, name) in enumerate((("share of right answers", "accuracy"), ("tokens a question", "tokens"))):
        axes = figure.add_subplot(1, 2, index + 1)
        for system, colour in ((WITHOUT, "tab:blue"), (WITH, "tab:orange")):
            points = [point for point in report.moving if point.system == system]
            at = [point.at for point in points]
            bounds = [getattr(point, f"{name}_ci95") for point in points]
            axes.plot(at, [getattr(point, name) for point in points], color=colour, label=system)
            axes.fill_between(at, [low for low, _ in bounds], [high for _, high in bounds], color=colour, alpha=0.15)
        axes.axvline(report.cold, linestyle=":", color="grey")
        axes.set_title(f"{title}, mean of the last {WINDOW}")
        axes.set_xlabel("question of the stream; the dotted line ends the cold third")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
