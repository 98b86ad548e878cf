"""What the playbook's guard does with entries whose truth is known, over seeded simulations."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from bench.record import Aim
from orchestrator.playbook.entry import Entry, Recipe
from orchestrator.playbook.evidence import Stakes
from orchestrator.playbook.simulation import Judgement, Truth, simulate, simulate_together

SEEDS = 20
OUTCOMES = 500
_SHADOW = "recipe in shadow"
_TOGETHER = "recipe in shadow, topics together"
_TRIALS = 1500
_SAME_QUESTION = "on the same question"
_WAYS: dict[str, float | None] = {_SAME_QUESTION: None, "used or left out by a coin": 0.5}
_PLANTED = {
    "bad behaviour": Truth(rate=0.45, default_rate=0.6),
    "lucky recipe": Truth(rate=0.5, default_rate=0.6, lucky=8),
    "as good as the default": Truth(rate=0.6, default_rate=0.6),
}
_GOOD = {
    "15 points better": Truth(rate=0.75, default_rate=0.6),
    "30 points better": Truth(rate=0.9, default_rate=0.6),
}
_PLANTED_IN_SHADOW = {
    "lucky recipe, right in 80 %": Truth.of_recipe_in_shadow(0.8, lucky=8),
    "right in 90 %": Truth.of_recipe_in_shadow(0.9),
}
_BETWEEN = {"right in 95 %": Truth.of_recipe_in_shadow(0.95)}
_GOOD_IN_SHADOW = {
    "right in 98 %": Truth.of_recipe_in_shadow(0.98),
    "right in 99 %": Truth.of_recipe_in_shadow(0.99),
    "right in 100 %": Truth.of_recipe_in_shadow(1.0),
}


@dataclass(frozen=True, slots=True)
class _Topics:
    """So many topics in which the same is true of a recipe, and whether it is to be promoted there."""

    name: str
    count: int
    truth: Truth
    good: bool


_TOPICS_TOGETHER = (
    (
        _Topics("right in 99 % in four topics", 4, Truth.of_recipe_in_shadow(0.99, default_rate=0.6), good=True),
        _Topics("right in 60 % in the fifth", 1, Truth.of_recipe_in_shadow(0.6), good=False),
    ),
    (_Topics("right in 100 % in four topics", 4, Truth.of_recipe_in_shadow(1.0), good=True),),
    (_Topics("lucky in four topics, right in 80 %", 4, Truth.of_recipe_in_shadow(0.8, lucky=4), good=False),),
)


class GuardRow(BaseModel):
    """An entry of which the ``truth`` is known, compared with the default in one ``way``, in ``simulations`` of at most
    ``outcomes`` questions, of all topics where there are several; a recipe in shadow costs a fifth and wins nothing.
    ``planted`` is not to be promoted, ``good`` is. ``promoted`` and ``demoted`` count simulations, of several topics
    those in which it was so in all that are ``good``, or in any that is ``planted``; ``median`` and ``longest`` are
    questions until promotion, None where none was promoted."""

    model_config = ConfigDict(frozen=True)

    truth: str
    way: str
    planted: bool
    good: bool
    simulations: int
    outcomes: int
    promoted: int
    demoted: int
    median: float | None
    longest: int | None


def guard_rows() -> list[GuardRow]:
    """Seeded, so the same every time."""
    rows = [
        _row(name, way, truth, share, OUTCOMES)
        for name, truth in {**_PLANTED, **_GOOD}.items()
        for way, share in _WAYS.items()
    ]
    in_shadow = {**_PLANTED_IN_SHADOW, **_BETWEEN, **_GOOD_IN_SHADOW}
    rows += [_row(name, _SHADOW, truth, None, _TRIALS) for name, truth in in_shadow.items()]
    return rows + [row for topics in _TOPICS_TOGETHER for row in _rows_together(topics)]


def guard_aims(rows: list[GuardRow]) -> list[Aim]:
    planted = [row for row in rows if row.planted]
    good = [row for row in rows if row.good]
    wrong = sum(row.promoted for row in planted)
    right, trials = sum(row.promoted for row in good), sum(row.simulations for row in good)
    took = "; ".join(f"{row.truth}, {row.way}: {row.promoted} of {row.simulations}" for row in good)
    stakes = Stakes()
    return [
        Aim(
            aim="planted bad behaviours, and planted recipes that are lucky or lose too much, are never promoted",
            target=f"0 of {sum(row.simulations for row in planted)} simulations",
            measured=f"{wrong}",
            reached=wrong == 0,
            why=f"up to {OUTCOMES} questions each, {_TRIALS} in shadow, looked at after every one; at most "
            f"{stakes.alpha:.0%} of topics ever promote anything wrongly, and a saving may cost {stakes.margin:.0%} of "
            "the answers",
        ),
        Aim(
            aim="good entries are promoted",
            target=f"all of {trials} simulations",
            measured=f"{right}; {took}",
            reached=right == trials,
            why=f"what is not promoted within {OUTCOMES} questions, {_TRIALS} in shadow, would be later, or is demoted "
            "by bad luck",
        ),
    ]


def _row(name: str, way: str, truth: Truth, share: float | None, outcomes: int) -> GuardRow:
    entry = _recipe() if way == _SHADOW or "recipe" in name else _behaviour()
    judgements = [simulate(entry, truth, seed=seed, outcomes=outcomes, share=share) for seed in range(SEEDS)]
    planted = name in ("bad behaviour", "lucky recipe", *_PLANTED_IN_SHADOW)
    return _counted(name, way, judgements, outcomes, planted=planted, good=name in {**_GOOD, **_GOOD_IN_SHADOW})


def _rows_together(topics: Sequence[_Topics]) -> list[GuardRow]:
    truths = [each.truth for each in topics for _ in range(each.count)]
    simulated = [simulate_together(_recipe(), truths, seed=seed, outcomes=_TRIALS) for seed in range(SEEDS)]
    rows, first = [], 0
    for each in topics:
        joined = [_joined(judged[first : first + each.count], every=each.good) for judged in simulated]
        rows.append(_counted(each.name, _TOGETHER, joined, _TRIALS, planted=not each.good, good=each.good))
        first += each.count
    return rows


def _joined(judgements: Sequence[Judgement], *, every: bool) -> Judgement:
    """Promoted where ``every`` one was, or any; so it is with demoted, the other way round."""
    promoted = [each.promoted for each in judgements if each.promoted is not None]
    demoted = [each.demoted for each in judgements if each.demoted is not None]
    return Judgement(
        promoted=max(promoted) if promoted and (not every or len(promoted) == len(judgements)) else None,
        demoted=max(demoted) if demoted and (every or len(demoted) == len(judgements)) else None,
    )


def _counted(
    name: str, way: str, judgements: Sequence[Judgement], outcomes: int, *, planted: bool, good: bool
) -> GuardRow:
    after = [judgement.promoted for judgement in judgements if judgement.promoted is not None]
    return GuardRow(
        truth=name,
        way=way,
        planted=planted,
        good=good,
        simulations=len(judgements),
        outcomes=outcomes,
        promoted=len(after),
        demoted=sum(judgement.demoted is not None for judgement in judgements),
        median=statistics.median(after) if after else None,
        longest=max(after, default=None),
    )


def _behaviour() -> Entry:
    return _recipe().model_copy(update={"kind": "behaviour", "name": "count_twice", "recipe": None})


def _recipe() -> Entry:
    now = time.time()
    return Entry(
        id="0" * 32,
        owner="bench",
        kind="recipe",
        name="program(small)",
        recipe=Recipe(strategy="program", models=("small",)),
        problem="How many apples are 3 and 4 apples?",
        topic="any-number",
        form="number",
        pair="pair",
        version="1",
        created=now,
        used=now,
    )
