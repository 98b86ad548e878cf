"""The plot of the routing benchmark: accuracy against cost, risk against coverage, and calibration."""

from pathlib import Path
from typing import Any

from bench.plot import blank
from bench.record import Row
from bench.routing.frontier import hull
from bench.routing.report import RoutingReport


def plot(report: RoutingReport, path: Path) -> None:
    """Write a PNG of three panels. Raises ``PlottingMissing``."""
    figure = blank(20, 7)
    grid = figure.add_gridspec(1, 3, width_ratios=(2, 1.2, 1))
    _frontier(figure.add_subplot(grid[0, 0]), report)
    _risk(figure.add_subplot(grid[0, 1]), report)
    _calibration(figure.add_subplot(grid[0, 2]), report)
    figure.savefig(path, dpi=90)


def _frontier(axes: Any, report: RoutingReport) -> None:
    from matplotlib import colormaps

    sweeps: dict[str, list[Row]] = {}
    for row in report.pooled:
        sweeps.setdefault(row.system, []).append(row)
    points: list[tuple[float, float]] = []
    axes.set_prop_cycle(color=[colormaps["tab20"](number) for number in range(20)])
    for system, rows in sweeps.items():
        known = sorted((row.cost or 0.0, row.accuracy) for row in rows)
        if len(rows) > 1:
            axes.plot(*zip(*known, strict=True), marker=".", linewidth=1.2, label=system)
            continue
        [row] = rows
        if system == "oracle":
            axes.plot(*known[0], marker="*", markersize=14, color="black")
        else:
            low, high = row.ci95
            error = [[max(0.0, row.accuracy - low)], [max(0.0, high - row.accuracy)]]
            axes.errorbar(*known[0], yerr=error, fmt="s", color="grey", capsize=3)
            points.append(known[0])
        axes.annotate(system, known[0], xytext=(6, 4), textcoords="offset points", fontsize=8)
    axes.plot(*zip(*hull(points), strict=True), color="grey", linestyle=":", label="constants, mixed at random")
    axes.set_xlabel("cost (large cot = 1)")
    axes.set_ylabel("accuracy")
    axes.set_title(f"{report.rows[0].dataset}, n = {report.rows[0].n}")
    axes.legend(fontsize=8, loc="lower right")
    axes.grid(alpha=0.3)


def _risk(axes: Any, report: RoutingReport) -> None:
    for curve in report.risk_coverage:
        label = f"{curve.system}: {curve.coverage_at:.0%} at {curve.risk:.0%}"
        axes.plot(*zip(*curve.curve, strict=True), label=label, linewidth=1.2)
    axes.axhline(report.risk_coverage[0].risk, color="grey", linestyle=":")
    axes.set_xlabel("share of questions answered")
    axes.set_ylabel("errors among the answered")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)


def _calibration(axes: Any, report: RoutingReport) -> None:
    found = report.calibration
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    axes.plot([bin[0] for bin in found.bins], [bin[1] for bin in found.bins], marker="o")
    axes.set_xlabel("predicted probability of being right")
    axes.set_ylabel("share that was right")
    axes.set_title(f"ECE {found.ece:.3f} on {found.attempts} attempts (chance {found.floor:.3f})")
    axes.grid(alpha=0.3)
