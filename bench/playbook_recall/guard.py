"""What the playbook's guard does with entries whose truth is known, over seeded simulations."""

import statistics
import time

from pydantic import BaseModel, ConfigDict

from bench.record import Aim
from orchestrator.playbook.entry import Entry, Recipe
from orchestrator.playbook.evidence import Stakes
from orchestrator.playbook.simulation import Judgement, Truth, simulate

SEEDS = 20
OUTCOMES = 500
_COIN = 0.5
_WAYS: dict[str, float | None] = {"on the same question": None, "used or left out by a coin": _COIN}
_PLANTED = {
    "bad behaviour": Truth(rate=0.45, default_rate=0.6),
    "lucky recipe": Truth(rate=0.5, default_rate=0.6, lucky=8),
    "as good as the default": Truth(rate=0.6, default_rate=0.6),
}
_GOOD = {
    "15 points better": Truth(rate=0.75, default_rate=0.6),
    "30 points better": Truth(rate=0.9, default_rate=0.6),
    "as good, at a quarter of the cost": Truth(rate=0.6, default_rate=0.6, cost=0.25),
}


class GuardRow(BaseModel):
    """An entry of which the ``truth`` is known, compared with the default in one of two ways, in ``simulations`` of at
    most ``outcomes`` questions. ``promoted`` and ``demoted`` count simulations; ``median`` and ``longest`` are
    questions until promotion, None where none was promoted."""

    model_config = ConfigDict(frozen=True)

    truth: str
    way: str
    good: bool
    simulations: int
    outcomes: int
    promoted: int
    demoted: int
    median: float | None
    longest: int | None


def guard_rows() -> list[GuardRow]:
    """Seeded, so the same every time."""
    cases = [(name, truth, False) for name, truth in _PLANTED.items()]
    cases += [(name, truth, True) for name, truth in _GOOD.items()]
    return [
        _row(name, way, good, [_judged(truth, seed, share) for seed in range(SEEDS)])
        for name, truth, good in cases
        for way, share in _WAYS.items()
    ]


def guard_aims(rows: list[GuardRow]) -> list[Aim]:
    planted = [row for row in rows if row.truth in ("bad behaviour", "lucky recipe")]
    good = [row for row in rows if row.good]
    wrong = sum(row.promoted for row in planted)
    right, trials = sum(row.promoted for row in good), sum(row.simulations for row in good)
    took = "; ".join(f"{row.truth}, {row.way}: {row.promoted} of {row.simulations}" for row in good)
    return [
        Aim(
            aim="a planted bad behaviour and a planted lucky recipe are never promoted",
            target=f"0 of {sum(row.simulations for row in planted)} simulations",
            measured=f"{wrong}",
            reached=wrong == 0,
            why=f"up to {OUTCOMES} questions each, looked at after every one; at most {Stakes().alpha:.0%} of topics "
            "ever promote anything wrongly",
        ),
        Aim(
            aim="good entries are promoted",
            target=f"all of {trials} simulations",
            measured=f"{right}; {took}",
            reached=right == trials,
            why=f"what is not promoted within {OUTCOMES} questions would be later, or is demoted by bad luck",
        ),
    ]


def _judged(truth: Truth, seed: int, share: float | None) -> Judgement:
    return simulate(_candidate(), truth, seed=seed, outcomes=OUTCOMES, share=share)


def _row(name: str, way: str, good: bool, judgements: list[Judgement]) -> GuardRow:
    after = [judgement.promoted for judgement in judgements if judgement.promoted is not None]
    return GuardRow(
        truth=name,
        way=way,
        good=good,
        simulations=len(judgements),
        outcomes=OUTCOMES,
        promoted=len(after),
        demoted=sum(judgement.demoted is not None for judgement in judgements),
        median=statistics.median(after) if after else None,
        longest=max(after, default=None),
    )


def _candidate() -> Entry:
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
