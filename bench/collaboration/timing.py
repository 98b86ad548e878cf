"""What answers take when each is written alone, every setting on the same questions."""

from collections.abc import Mapping, Sequence
from statistics import mean

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from bench.collaboration.costs import needed_seconds
from bench.collaboration.gpu import MeasuredGpu
from bench.collaboration.plan import ALONE, Setting
from bench.collaboration.rows import Answers, Graded, Sizes
from bench.record import Aim, ReportHead

EFFICIENT = 0.8


class TimingRow(BaseModel):
    """One setting on one set of ``n`` questions: seconds an answer that it took, those that its tokens must take, and
    their ratio; calls and hand-overs by a hundred tokens of the answers. The middle two are None where the large
    model's engine has a draft model: how many passes it took for its tokens is not to be seen from outside."""

    model_config = ConfigDict(frozen=True)

    system: str
    setting: str
    dataset: str
    n: int
    seconds: float
    needed: float | None
    efficiency: float | None
    calls_per_100: float
    handovers_per_100: float


class TimingReport(ReportHead):
    """``threads`` of each engine."""

    threads: dict[str, int]
    rows: list[TimingRow]


def beside(answers: Mapping[str, Answers], others: Mapping[str, Answers]) -> dict[str, Answers]:
    """Both, by set of questions, the settings of one policy next to each other."""
    return {dataset: _by_policy({**answers.get(dataset, {}), **more}) for dataset, more in others.items()}


def _by_policy(answers: Answers) -> Answers:
    policies = [setting.policy for setting in answers]
    return dict(sorted(answers.items(), key=lambda item: policies.index(item[0].policy)))


def timing_rows(answers: Mapping[str, Answers]) -> list[TimingRow]:
    """By set of questions, in the order of the settings."""
    return [
        _row(dataset, setting, graded)
        for dataset, by_setting in answers.items()
        for setting, graded in by_setting.items()
    ]


def _row(dataset: str, setting: Setting, graded: Sequence[Graded]) -> TimingRow:
    traces = [one.trace for one in graded]
    seconds = sum(trace.seconds for trace in traces)
    needed = None if setting.draft else sum(needed_seconds(one.usage, one.calls, one.costs) for one in traces)
    tokens = sum(len(trace.authors) for trace in traces)
    return TimingRow(
        system=setting.policy,
        setting=setting.label,
        dataset=dataset,
        n=len(traces),
        seconds=seconds / len(traces),
        needed=None if needed is None else needed / len(traces),
        efficiency=None if needed is None else needed / seconds,
        calls_per_100=100 * sum(sum(trace.calls.values()) for trace in traces) / max(1, tokens),
        handovers_per_100=100 * sum(trace.handovers for trace in traces) / max(1, tokens),
    )


def costs_of(answers: Mapping[str, Answers], sizes: Sizes) -> MeasuredGpu:
    """What the engines' tokens cost when the last of these answers was written, as ``--gpu`` takes it."""
    # An engine that drafts has costs of its own.
    plain = [graded for by_setting in answers.values() for one, graded in by_setting.items() if not one.draft]
    last = plain[-1][-1].trace
    return MeasuredGpu(
        hop=mean(costs.call for costs in last.costs.values()),
        models={sizes.of(model): costs for model, costs in last.costs.items()},
    )


def efficiency_aim(rows: Sequence[TimingRow]) -> Aim:
    """Judged on rows of one and the same set of questions."""
    mixed = [(row.efficiency, row) for row in rows if row.efficiency is not None and row.system not in ALONE]
    worst = min(mixed, key=lambda told: told[0], default=None)
    below = [(efficiency, row) for efficiency, row in mixed if efficiency < EFFICIENT]
    listed = "; ".join(
        f"{row.system} {row.setting} {efficiency:.2f} at {row.calls_per_100:.0f} calls and "
        f"{row.handovers_per_100:.0f} hand-overs a hundred tokens"
        for efficiency, row in below
    )
    return Aim(
        aim="the time that the tokens must take, over the time it took",
        target=f"≥ {EFFICIENT} for every policy",
        measured="not measured" if worst is None else f"{worst[0]:.2f} at worst ({worst[1].system})",
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
            "" if row.needed is None else f"{row.needed:.1f}",
            "" if row.efficiency is None else f"{row.efficiency:.2f}",
            f"{row.calls_per_100:.1f}",
            f"{row.handovers_per_100:.1f}",
        )
    console.print(table)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}. {aim.why}")
