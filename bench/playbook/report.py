"""From answered questions to rows, moving averages, aims and a table."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from bench.playbook.service import Answered
from bench.playbook.stream import Asked
from bench.record import Aim, ReportHead
from bench.statistics import paired_difference, wilson
from orchestrator.playbook.entry import Entry, Recipe
from orchestrator.playbook.text import PROBLEM_CHARACTERS, plain
from orchestrator.settings_playbook import PlaybookSettings

WITH, WITHOUT = "with playbook", "without playbook"
WINDOW = 30
_Z = 1.959963984540054
_SAVING = 0.25
_FIFTH = 0.2

Pairs = Sequence[tuple[Answered, Answered]]
"""The same questions with the playbook and without it."""


class PlaybookRow(BaseModel):
    """``tokens_each`` are written and ``cost_each`` is parameter-weighted tokens, a question, with the 95 % interval of
    the mean; ``used`` is the share of the questions on which an entry was used."""

    model_config = ConfigDict(frozen=True)

    system: str
    setting: str
    dataset: str
    n: int
    accuracy: float
    ci95: tuple[float, float]
    tokens_each: float
    tokens_ci95: tuple[float, float]
    cost_each: float
    cost_ci95: tuple[float, float]
    used: float


class Moving(BaseModel):
    """The mean of the last 30 questions of the stream, up to question ``at``, with 95 % intervals."""

    model_config = ConfigDict(frozen=True)

    system: str
    at: int
    accuracy: float
    accuracy_ci95: tuple[float, float]
    tokens: float
    tokens_ci95: tuple[float, float]


class Kept(BaseModel):
    """An entry as the playbook had it at the end, for questions of ``family``. Questions that it quotes are left out:
    ``text`` of an example, and the examples of a recipe."""

    model_config = ConfigDict(frozen=True)

    kind: str
    name: str
    family: str
    text: str
    recipe: Recipe | None
    status: str
    form: str
    wins: float
    trials: int
    compared: int


class PlaybookReport(ReportHead):
    """``behind_the_scenes`` are the tokens that trials in shadow and the consolidator wrote, and their cost: they are
    in no row. ``cold`` questions came first, on which the playbook only learned. ``settings`` are the playbook's:
    ``shadow`` is how many trials a question got."""

    rows: list[PlaybookRow]
    moving: list[Moving]
    entries: list[Kept]
    cold: int
    settings: PlaybookSettings
    behind_the_scenes: dict[str, float]


def rows_of(setting: str, pairs: Pairs) -> list[PlaybookRow]:
    """A row for each way over all families, and over each one."""
    families = list(dict.fromkeys(pair[0].asked.family for pair in pairs))
    rows: list[PlaybookRow] = []
    for dataset in ("all", *families):
        some = [pair for pair in pairs if dataset in ("all", pair[0].asked.family)]
        rows.append(_row(WITHOUT, setting, dataset, [pair[1] for pair in some]))
        rows.append(_row(WITH, setting, dataset, [pair[0] for pair in some]))
    return rows


def moving_of(pairs: Pairs) -> list[Moving]:
    moving: list[Moving] = []
    for system, side in ((WITHOUT, 1), (WITH, 0)):
        for at in range(1, len(pairs) + 1):
            window = [pair[side] for pair in pairs[max(0, at - WINDOW) : at]]
            right = sum(answered.correct for answered in window)
            tokens, interval = _mean([float(answered.tokens) for answered in window])
            moving.append(
                Moving(
                    system=system,
                    at=at,
                    accuracy=right / len(window),
                    accuracy_ci95=wilson(right, len(window)),
                    tokens=tokens,
                    tokens_ci95=interval,
                )
            )
    return moving


def kept_of(entries: Sequence[Entry], asked: Sequence[Asked]) -> list[Kept]:
    """``asked`` are the questions that the playbook learned from."""
    families = {plain(one.question.question, PROBLEM_CHARACTERS): one.family for one in asked}
    return [
        Kept(
            kind=entry.kind,
            name=entry.name,
            family=families.get(entry.problem, ""),
            text="" if entry.kind == "example" else entry.text,
            recipe=entry.recipe.model_copy(update={"examples": ()}) if entry.recipe else None,
            status=entry.status,
            form=entry.form,
            wins=entry.wins,
            trials=entry.trials,
            compared=entry.evidence.compared,
        )
        for entry in entries
    ]


def aims_of(late: Pairs, held_back: Pairs, unseen: Pairs) -> list[Aim]:
    """``late`` are the questions of the stream's last third."""
    seen = [*late, *held_back]
    return [_cheaper(seen), _through_recipes(seen), _harmless(unseen)]


def _cheaper(pairs: Pairs) -> Aim:
    change = _ratio(pairs, lambda answered: answered.tokens) - 1
    difference, (low, high) = _accuracy_difference(pairs)
    return Aim(
        aim="fewer tokens on seen families once two thirds of the stream have been learned from, and no less right",
        target=f"≤ {-_SAVING:.0%} tokens, accuracy ≥ without",
        measured=f"{change:+.0%} tokens, right {difference:+.1%} [{low:+.1%}, {high:+.1%}], n = {len(pairs)}, paired",
        reached=change <= -_SAVING and difference >= 0,
        why=_used(pairs),
    )


def _through_recipes(pairs: Pairs) -> Aim:
    through = [pair for pair in pairs if pair[0].recipes]
    share = _ratio(through, lambda answered: answered.cost)
    measured = f"{share:.2f} of the cost, n = {len(through)}" if through else "no question was answered by a recipe"
    return Aim(
        aim="repeated classes of tasks cost a fifth through recipes",
        target=f"≤ {_FIFTH:.2f} of the cost without the playbook, on the questions that a recipe answered",
        measured=measured,
        reached=bool(through) and share <= _FIFTH,
        why=_used(pairs),
    )


def _harmless(pairs: Pairs) -> Aim:
    difference, (low, high) = _accuracy_difference(pairs)
    return Aim(
        aim="no loss on families that were never seen",
        target="accuracy ≥ without",
        measured=f"{difference:+.1%} [{low:+.1%}, {high:+.1%}], n = {len(pairs)}, paired",
        reached=difference >= 0,
        why=_used(pairs),
    )


def _used(pairs: Pairs) -> str:
    used = sum(_used_any(one) for one, _ in pairs)
    recipes = sum(bool(pair[0].recipes) for pair in pairs)
    return f"entries were used on {used} of {len(pairs)} questions, recipes on {recipes}"


def _used_any(one: Answered) -> bool:
    return bool(one.recipes or one.behaviours or one.examples)


def _accuracy_difference(pairs: Pairs) -> tuple[float, tuple[float, float]]:
    if not pairs:
        return 0.0, (-1.0, 1.0)
    return paired_difference([float(one.correct) for one, _ in pairs], [float(other.correct) for _, other in pairs])


def _ratio(pairs: Pairs, of: Callable[[Answered], float]) -> float:
    reference = sum(of(without) for _, without in pairs)
    return sum(of(one) for one, _ in pairs) / reference if reference else 1.0


def _row(system: str, setting: str, dataset: str, answered: Sequence[Answered]) -> PlaybookRow:
    right = sum(one.correct for one in answered)
    tokens, tokens_interval = _mean([float(one.tokens) for one in answered])
    cost, cost_interval = _mean([one.cost for one in answered])
    return PlaybookRow(
        system=system,
        setting=setting,
        dataset=dataset,
        n=len(answered),
        accuracy=right / len(answered) if answered else 0.0,
        ci95=wilson(right, len(answered)) if answered else (0.0, 1.0),
        tokens_each=tokens,
        tokens_ci95=tokens_interval,
        cost_each=cost,
        cost_ci95=cost_interval,
        used=sum(map(_used_any, answered)) / max(1, len(answered)),
    )


def _mean(values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    if not values:
        return 0.0, (0.0, 0.0)
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else mean
    return mean, (mean - _Z * error, mean + _Z * error)


def show(report: PlaybookReport, console: Console) -> None:
    table = Table(title=f"the playbook, on {report.machine}; the first {report.cold} questions cold")
    for column in ("asked", "system", "n", "right", "95 %", "tokens", "cost", "used"):
        table.add_column(column, justify="left" if column in ("asked", "system") else "right")
    for row in (row for row in report.rows if row.dataset == "all"):
        interval = f"{row.ci95[0]:.2f}–{row.ci95[1]:.2f}"
        figures = (f"{row.accuracy:.2f}", interval, f"{row.tokens_each:.0f}", f"{row.cost_each:.0f}", f"{row.used:.0%}")
        table.add_row(row.setting, row.system, str(row.n), *figures)
    console.print(table)
    options = report.settings
    console.print(
        f"  {options.shadow} trials behind the scenes a question, proposals after every {options.consolidate} of a "
        f"topic, {options.explore:.0%} exploring runs, a margin of {options.guard.margin:g}",
        highlight=False,
    )
    for entry in report.entries:
        if entry.status in ("promoted", "demoted"):
            figures_of = f"{entry.wins:g} of {entry.trials} right, {entry.compared} compared"
            console.print(f"  {entry.status}: {entry.kind} {entry.name} ({entry.form}): {figures_of}", highlight=False)
    for aim in report.aims:
        console.print(f"{'reached' if aim.reached else 'not reached'}: {aim.aim}: {aim.measured}; {aim.why}")
