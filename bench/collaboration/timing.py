"""What answers take when each is written alone, every setting on the same questions."""

from collections.abc import Mapping, Sequence
from statistics import mean

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from bench.collaboration.costs import needed_seconds
from bench.collaboration.gpu import MeasuredGpu
from bench.collaboration.plan import ALONE
from bench.collaboration.rows import Answers, Graded, Sizes
from bench.record import Aim, ReportHead

EFFICIENT = 0.8


class TimingRow(BaseModel):
    """One setting on one set of ``n`` questions: seconds an answer that it took, those that its tokens must take, and
    their ratio; calls and hand-overs by a hundred tokens of the answers."""

    model_config = ConfigDict(frozen=True)

    system: str
    setting: str
    dataset: str
    n: int
    seconds: float
    needed: float
    efficiency: float
    calls_per_100: float
    handovers_per_100: float


class TimingReport(ReportHead):
    """``threads`` of each engine."""

    threads: dict[str, int]
    rows: list[TimingRow]


def timing_rows(answers: Mapping[str, Answers]) -> list[TimingRow]:
    """By set of questions, in the order of the settings."""
    return [
        _row(dataset, setting.policy, setting.label, graded)
        for dataset, by_setting in answers.items()
        for setting, graded in by_setting.items()
    ]


def _row(dataset: str, system: str, label: str, graded: Sequence[Graded]) -> TimingRow:
    traces = [one.trace for one in graded]
    seconds = sum(trace.seconds for trace in traces)
    needed = sum(needed_seconds(trace.usage, trace.calls, trace.costs) for trace in traces)
    tokens = sum(len(trace.authors) for trace in traces)
    return TimingRow(
        system=system,
        setting=label,
        dataset=dataset,
        n=len(traces),
        seconds=seconds / len(traces),
        needed=needed / len(traces),
        efficiency=needed / seconds,
        calls_per_100=100 * sum(sum(trace.calls.values()) for trace in traces) / max(1, tokens),
        handovers_per_100=100 * sum(trace.handovers for trace in traces) / max(1, tokens),
    )


def costs_of(answers: Mapping[str, Answers], sizes: Sizes) -> MeasuredGpu:
    """What the engines' tokens cost when the last of these answers was written, as ``--gpu`` takes it."""
    last = [graded[-1].trace for by_setting in answers.values() for graded in by_setting.values()][-1]
    return MeasuredGpu(
        hop=mean(costs.call for costs in last.costs.values()),
        models={sizes.of(model): costs for model, costs in last.costs.items()},
    )


def efficiency_aim(rows: Sequence[TimingRow]) -> Aim:
    """Judged on rows of one and the same set of questions."""
    mixed = [row for row in rows if row.system not in ALONE]
    worst = min(mixed, key=lambda row: row.efficiency, default=None)
    below = [row for row in mixed if row.efficiency < EFFICIENT]
    listed = "; ".join(
        f"{row.system} {row.setting} {row.efficiency:.2f} at {row.calls_per_100:.0f} calls and "
        f"{row.handovers_per_100:.0f} hand-overs a hundred tokens"
        for row in below
    )
    return Aim(
        aim="the time that the tokens must take, over the time it took",
        target=f"≥ {EFFICIENT} for every policy",
        measured="not measured" if worst is None else f"{worst.efficiency:.2f} at worst ({worst.system})",
        reached=worst is not None and not below,
        why=f"what a call costs besides its tokens: {listed}" if below else "",
    )


def show_timing(report: TimingReport, console: Console) -> None:
    table = Table(title=f"collaboration, written one at a time, on {report.machine}")
    for heading in ("set", "policy", "n", "s", "needed s", "eff.", "calls", "hand-overs"):
        table.add_column(heading)
    for row in report.rows:
        table.add_row(
            row.dataset,
            f"{row.system} {row.setting}".strip(),
            str(row.n),
            f"{row.seconds:.1f}",
            f"{row.needed:.1f}",
            f"{row.efficiency:.2f}",
            f"{row.calls_per_100:.1f}",
            f"{row.handovers_per_100:.1f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}. {aim.why}")
