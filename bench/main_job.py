"""The main job: every constant route and ``auto`` at three efforts on the same questions, and the oracle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import published
from bench.aggregate import row_of
from bench.record import Aim, Row
from bench.solving import Solved
from bench.statistics import paired_difference, wilson
from orchestrator.settings import Settings
from routers.route import Effort

_GAIN = 0.04
_COST = 0.6


@dataclass(frozen=True, slots=True)
class System:
    """A name as a caller puts it in ``model``, at an effort."""

    model: str
    effort: Effort = "medium"

    @property
    def name(self) -> str:
        return f"{self.model} {self.effort}" if self.model.startswith("auto") else self.model


@dataclass(frozen=True, slots=True)
class Part:
    """The first ``rows`` questions of a data set, each through every one of ``systems``."""

    dataset: str
    rows: int
    systems: tuple[System, ...]


Outcomes = Mapping[System, Sequence[Solved]]


def parts(settings: Settings) -> tuple[Part, ...]:
    """Every system on a hundred questions of each set; then the cheap ones on more, because a difference of a few
    points only shows on more."""
    return (
        Part("gsm8k_test", 100, systems(settings)),
        Part("svamp", 100, systems(settings)),
        Part("gsm8k_test", 300, _cheap(settings)),
    )


def systems(settings: Settings) -> tuple[System, ...]:
    """Constants first: ``auto`` then finds most of its generations in the cache."""
    small, large = settings.named("small"), settings.named("large")
    every = ("direct", "program", "cot")
    constants = (*(f"{strategy}({model})" for model in (small, large) for strategy in every), "consensus")
    efforts: tuple[Effort, ...] = ("low", "medium", "high")
    return (*map(System, constants), *(System("auto", effort) for effort in efforts))


def _cheap(settings: Settings) -> tuple[System, ...]:
    small, large = settings.named("small"), settings.named("large")
    constants = (f"direct({small})", f"program({large})")
    return (*map(System, constants), System("auto", "low"), System("auto", "medium"))


def rows_of(dataset: str, outcomes: Outcomes, reference: Sequence[Solved] | None, settings: Settings) -> list[Row]:
    """One row a system, and the oracle over the constants. ``reference``: what the large model's ``cot`` answered."""
    rows = [
        row_of(system.name, system.effort, dataset, solved, _same(reference, solved), settings)
        for system, solved in outcomes.items()
    ]
    constants = [solved for system, solved in outcomes.items() if not system.model.startswith("auto")]
    if len(constants) > 1:
        rows.append(_oracle(dataset, constants))
    return rows


def aims_of(dataset: str, outcomes: Outcomes, reference: Sequence[Solved] | None, settings: Settings) -> list[Aim]:
    """The published baselines, and the point above the constants' frontier on paired questions."""
    return [
        *_baselines(dataset, outcomes, settings),
        *_above_program(dataset, rows_of(dataset, outcomes, reference, settings), outcomes, settings),
    ]


def _baselines(dataset: str, outcomes: Outcomes, settings: Settings) -> list[Aim]:
    if dataset != published.DATASET or not published.comparable(settings):
        return []
    wanted = {baseline.system(settings): baseline for baseline in published.BASELINES}
    return [
        published.within(wanted[system.name], system.name, solved)
        for system, solved in outcomes.items()
        if system.name in wanted and len(solved) == published.ROWS
    ]


def yardstick(settings: Settings) -> System:
    """The system whose cost is 1."""
    return System(f"cot({settings.named('large')})")


def _above_program(dataset: str, rows: Sequence[Row], outcomes: Outcomes, settings: Settings) -> list[Aim]:
    program = System(f"program({settings.named('large')})")
    if program not in outcomes:
        return []
    by_name = {row.system: row for row in rows}
    right = {system: [one.correct for one in solved] for system, solved in outcomes.items()}
    return [
        _gain(by_name[system.name], by_name[program.name], paired_difference(right[system], right[program]), rows)
        for system in outcomes
        if system.model.startswith("auto")
    ]


def _gain(row: Row, program: Row, gain: tuple[float, tuple[float, float]], rows: Sequence[Row]) -> Aim:
    """``gain`` of the row's system over ``program``, with its interval."""
    mean, (low, high) = gain
    reached = mean >= _GAIN and row.cost is not None and row.cost <= _COST
    shown = "unknown" if row.cost is None else f"{row.cost:.2f}"
    return Aim(
        aim=f"{row.system} on {row.n} of {row.dataset}: above large program at at most 0.6 of large cot's cost",
        target="+4 points at cost 0.60 or less",
        measured=f"{mean * 100:+.1f} points [{low * 100:+.1f}, {high * 100:+.1f}] at cost {shown}, n = {row.n}, paired",
        reached=reached,
        why="" if reached else _why(row, program, gain, rows),
    )


def _why(row: Row, program: Row, gain: tuple[float, tuple[float, float]], rows: Sequence[Row]) -> str:
    """What the rows say of it: who reached what, and what is missing."""
    mean, (low, high) = gain
    missing = []
    if row.cost is None:
        missing.append("no cost is known without large cot on the same questions")
    elif row.cost > _COST:
        missing.append(f"the cost is {row.cost - _COST:.2f} too high")
    if mean < _GAIN:
        doubt = "holds 0" if low <= 0 <= high else "does not hold 0"
        missing.append(f"the gain is {(_GAIN - mean) * 100:.1f} points short, and its interval {doubt}")
    affordable = [one for one in rows if one.cost is not None and one.cost <= _COST]
    best = max(affordable, key=lambda one: one.accuracy, default=None)
    reached = [f"{row.system} is right on {row.accuracy:.0%}", f"{program.system} on {program.accuracy:.0%}"]
    if best is not None and best.system not in (row.system, program.system):
        reached.append(f"within that cost {best.system} is best with {best.accuracy:.0%} at {best.cost:.2f}")
    return f"{'; '.join(missing)}: {', '.join(reached)}"


def _same(reference: Sequence[Solved] | None, solved: Sequence[Solved]) -> Sequence[Solved] | None:
    """The reference's answers to the questions of ``solved``, as far as there are any."""
    wanted = {one.question.id for one in solved}
    return [one for one in reference if one.question.id in wanted] if reference else None


def _oracle(dataset: str, constants: Sequence[Sequence[Solved]]) -> Row:
    n = min(len(solved) for solved in constants)
    right = sum(any(solved[index].correct for solved in constants) for index in range(n))
    return Row(
        system=f"oracle over {len(constants)} constants",
        setting="",
        dataset=dataset,
        n=n,
        seeds=[0],
        accuracy=right / n,
        ci95=wilson(right, n),
        tokens={},
        large_share=0.0,
        cost=None,
        seconds=0.0,
    )
