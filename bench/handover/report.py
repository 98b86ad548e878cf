"""From timed hand-overs to rows, an aim, a table and a plot."""

import math
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from bench.handover.timing import WAYS, Handing, Way
from bench.plot import blank
from bench.record import Aim, ReportHead

_NOTCH = 1.57
_SHARE = 1.1
_NOISE_MS = 5.0
_WHY_LONGER = "what is new attends to all before it, so that reading itself takes longer after a longer text"


class HandoverRow(BaseModel):
    """Hand-overs on one kind of engine, from ``origin``, whose turn ended in this ``way``, to the other model, after
    ``prefix`` tokens; milliseconds from the last token of one to the first of the other: median and quartiles.
    ``own``: the median until the same model's next token when nothing is new to it; ``delta`` is what remains, the
    price of reading the ``read`` tokens that the other one wrote (median) and of the abort, where the turn was cut.
    ``prefill`` is what the same engine takes beyond ``own`` for as many new tokens behind the same prefix without any
    hand-over (median). ``cached``: the fewest tokens that the cache served. ``settling``: milliseconds that were waited
    until the engine whose turn was cut was idle (median); they are in none of the others."""

    model_config = ConfigDict(frozen=True)

    system: str
    way: Way
    setting: str
    origin: str
    prefix: int
    turn: int
    n: int
    median: float
    quartiles: tuple[float, float]
    own: float
    delta: float
    prefill: float
    read: float
    cached: int
    settling: float = 0.0

    @property
    def excess(self) -> float:
        """Milliseconds beyond the reading of as many tokens that nobody handed over."""
        return self.delta - self.prefill

    @property
    def spread(self) -> float:
        """Half of the median's 95 % interval in milliseconds, as the notches of a box plot have it."""
        low, high = self.quartiles
        return _NOTCH * (high - low) / math.sqrt(self.n)


class HandoverReport(ReportHead):
    rows: list[HandoverRow]


def rows_of(system: str, prefix: int, turn: int, handings: Sequence[Handing]) -> list[HandoverRow]:
    """A row for each way and direction."""
    rows = []
    for way, (origin, setting) in product(WAYS, (("small", "small to large"), ("large", "large to small"))):
        own = [handing for handing in handings if (handing.way, handing.origin) == (way, origin)]
        if not own:
            continue
        times = np.array([handing.seconds for handing in own]) * 1000
        floors = np.array([handing.own for handing in own]) * 1000
        rows.append(
            HandoverRow(
                system=system,
                way=way,
                setting=setting,
                origin=origin,
                prefix=prefix,
                turn=turn,
                n=len(own),
                median=float(np.median(times)),
                quartiles=(float(np.percentile(times, 25)), float(np.percentile(times, 75))),
                own=float(np.median(floors)),
                delta=float(np.median(times - floors)),
                prefill=float(np.median(np.array([handing.prefill for handing in own]) * 1000 - floors)),
                read=float(np.median([handing.read for handing in own])),
                cached=min(handing.cached for handing in own),
                settling=float(np.median([handing.settling for handing in own])) * 1000,
            )
        )
    return rows


def aims_of(rows: Sequence[HandoverRow]) -> list[Aim]:
    """Two for each kind of engine and way that policies have, of what a hand-over costs beyond the model's own next
    token, but for a tenth and timer noise: from the shortest prefix on it grows by no more than the reading of as many
    tokens there that nobody handed over, and it is no more than that reading. Where the hand-overs spread further than
    that, nothing is decided, unless they are beyond even so."""
    judged = _parts([row for row in rows if row.way != "settled"])
    settled = [row for row in rows if row.way == "settled"]
    return [
        aim
        for title, part in judged.items()
        for aim in (_growth(title, part), _price(title, part, settled if part[0].way == "cut" else []))
    ]


def _parts(rows: Sequence[HandoverRow]) -> dict[str, list[HandoverRow]]:
    """The rows by kind of engine and way."""
    parts: dict[str, list[HandoverRow]] = {}
    for row in rows:
        parts.setdefault(f"{row.system}, {row.way}", []).append(row)
    return parts


def _growth(title: str, rows: Sequence[HandoverRow]) -> Aim:
    parts, verdicts = [], []
    for setting, (shortest, *longer) in _by_direction(rows).items():
        points = []
        for row in longer:
            delta, prefill = row.delta - shortest.delta, row.prefill - shortest.prefill
            verdicts.append(_verdict(delta, prefill, math.hypot(row.spread, shortest.spread)))
            points.append(f"{delta:+.0f} against {prefill:+.0f} at {row.prefix} ({verdicts[-1]})")
        parts.append(f"{setting} {', '.join(points) or 'at one prefix only'}")
    return Aim(
        aim=f"{title}: what a hand-over costs grows with the prefix by no more than reading the delta does",
        target=f"from the shortest prefix on ≤ {_SHARE} × the growth of reading as many + {_NOISE_MS:.0f} ms",
        measured=f"ms from the shortest prefix on: {'; '.join(parts)}",
        reached=bool(verdicts) and set(verdicts) == {"kept"},
        why=_WHY_LONGER,
    )


def _price(title: str, rows: Sequence[HandoverRow], settled: Sequence[HandoverRow]) -> Aim:
    parts, verdicts = [], []
    for setting, ordered in _by_direction(rows).items():
        points = []
        for row in ordered:
            verdicts.append(_verdict(row.delta, row.prefill, row.spread))
            points.append(f"{row.delta:.0f} against {row.prefill:.0f} at {row.prefix} ({verdicts[-1]})")
        parts.append(f"{setting} {', '.join(points)}")
    read = max(row.read for row in rows)
    return Aim(
        aim=f"{title}: a hand-over costs no more than reading the delta",
        target=f"beyond the own next token ≤ {_SHARE} × reading as many without a hand-over + {_NOISE_MS:.0f} ms",
        measured=f"ms beyond the own next token: {'; '.join(parts)}",
        reached=set(verdicts) == {"kept"},
        why=f"the prefix cache served all but {read:.0f} tokens of a prompt; {_WHY_LONGER}{_once_idle(settled)}",
    )


def _verdict(delta: float, prefill: float, spread: float) -> str:
    tolerance = (_SHARE - 1) * max(prefill, 0.0) + _NOISE_MS
    excess = delta - max(prefill, 0.0)
    if excess > tolerance + spread:
        return "missed"
    if spread > tolerance:
        return f"undecided, ± {spread:.0f}"
    return "kept" if excess <= tolerance else "missed"


def _once_idle(settled: Sequence[HandoverRow]) -> str:
    """What hand-overs cost beyond reading where the other model was asked only once the cut one had stopped."""
    parts = []
    for setting, ordered in _by_direction(settled).items():
        points = (f"{row.excess:+.0f} at {row.prefix} after {row.settling:.0f} of waiting" for row in ordered)
        parts.append(f"{setting} {', '.join(points)}")
    return f"; beyond reading, once the cut engine is idle: {'; '.join(parts)}" if parts else ""


def _by_direction(rows: Sequence[HandoverRow]) -> dict[str, list[HandoverRow]]:
    """The rows of each direction, the shortest prefix first."""
    directions: dict[str, list[HandoverRow]] = {}
    for row in sorted(rows, key=lambda row: row.prefix):
        directions.setdefault(row.setting, []).append(row)
    return directions


def show(report: HandoverReport, console: Console) -> None:
    table = Table(title=f"hand-overs in ms, on {report.machine}")
    for column in (
        "engine",
        "turn",
        "direction",
        "prefix",
        "n",
        "median",
        "own next",
        "delta",
        "prefill",
        "read",
        "settling",
    ):
        table.add_column(column, justify="left" if column in ("engine", "turn", "direction") else "right", no_wrap=True)
    for row in report.rows:
        table.add_row(
            row.system,
            row.way,
            row.setting,
            str(row.prefix),
            str(row.n),
            f"{row.median:.1f}",
            f"{row.own:.1f}",
            f"{row.delta:.1f}",
            f"{row.prefill:.1f}",
            f"{row.read:.0f}",
            f"{row.settling:.1f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}; {aim.why}")


def plot(report: HandoverReport, path: Path) -> None:
    """One panel for each engine and way: the hand-over and the own next token over the prefix. Raises
    ``PlottingMissing``."""
    parts = _parts(report.rows)
    figure = blank(5.5 * len(parts), 4)
    for index, (title, rows) in enumerate(parts.items()):
        axes = figure.add_subplot(1, len(parts), index + 1)
        for (setting, line), color in zip(_by_direction(rows).items(), ("tab:blue", "tab:orange"), strict=False):
            prefixes = [row.prefix for row in line]
            errors = [
                [row.median - row.quartiles[0] for row in line],
                [row.quartiles[1] - row.median for row in line],
            ]
            axes.errorbar(prefixes, [row.median for row in line], yerr=errors, color=color, capsize=4, label=setting)
            reading = [row.own + row.prefill for row in line]
            axes.plot(prefixes, reading, color=color, linestyle="--", label="as many tokens, no hand-over")
            axes.plot(prefixes, [row.own for row in line], color=color, linestyle=":", label="own next token")
        axes.set_title(title)
        axes.set_xscale("log", base=2)
        axes.set_xlabel("tokens before the hand-over")
        axes.set_ylabel("ms to the first token")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
