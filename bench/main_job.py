"""The main job: every constant route and ``auto`` at three efforts on the same questions, and the oracle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.aggregate import row_of, total_tokens, weighted_tokens
from bench.record import Aim, Row
from bench.solving import Solved
from bench.statistics import paired_difference, wilson
from orchestrator.settings import Settings
from routers.route import Effort


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
    """The point above the constants' frontier, on paired questions."""
    program = outcomes.get(System(f"program({settings.named('large')})"))
    if program is None:
        return []
    return [
        _aim(dataset, system, solved, program, reference, settings)
        for system, solved in outcomes.items()
        if system.model.startswith("auto")
    ]


def yardstick(settings: Settings) -> System:
    """The system whose cost is 1."""
    return System(f"cot({settings.named('large')})")


def _aim(
    dataset: str,
    system: System,
    solved: Sequence[Solved],
    program: Sequence[Solved],
    cot: Sequence[Solved] | None,
    settings: Settings,
) -> Aim:
    n = min(len(solved), len(program))
    mean, (low, high) = paired_difference([s.correct for s in solved[:n]], [s.correct for s in program[:n]])
    cost = None
    if cot:
        base = weighted_tokens(total_tokens(cot), settings) / len(cot)
        cost = weighted_tokens(total_tokens(solved), settings) / len(solved) / base
    reached = mean >= 0.04 and cost is not None and cost <= 0.6
    shown = "unknown" if cost is None else f"{cost:.2f}"
    return Aim(
        aim=f"{system.name} on {n} of {dataset}: above large program at at most 0.6 of large cot's cost",
        target="+4 points at cost 0.60 or less",
        measured=f"{mean * 100:+.1f} points [{low * 100:+.1f}, {high * 100:+.1f}] at cost {shown}, n = {n}, paired",
        reached=reached,
        why="" if reached else _why(mean, cost),
    )


def _why(mean: float, cost: float | None) -> str:
    if cost is not None and cost > 0.6:
        return "the extra attempts cost more than the aim allows"
    if mean <= 0:
        return "the attempts that decide are wrong as often as the one they replace"
    return "the gain is smaller than the aim, or within the noise of this many questions"


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
