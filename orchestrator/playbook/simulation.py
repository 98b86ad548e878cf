"""How the guard judges an entry whose truth is known: outcomes drawn by chance, until it is promoted or time is up."""

import random
from dataclasses import dataclass

from orchestrator.playbook.entry import Entry
from orchestrator.playbook.evidence import Gain, Stakes, added, judged, paired, randomised


@dataclass(frozen=True, slots=True)
class Truth:
    """``rate`` of right answers and mean ``cost`` of an entry and of the default; costs vary by a third. ``lucky``:
    so many first outcomes of the entry are right whatever its rate."""

    rate: float
    default_rate: float
    cost: float = 1.0
    default_cost: float = 1.0
    lucky: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """After how many outcomes (questions) the entry was promoted, and demoted; None for never."""

    promoted: int | None = None
    demoted: int | None = None


def simulate(
    entry: Entry,
    truth: Truth,
    *,
    seed: int,
    outcomes: int = 500,
    stakes: Stakes = Stakes(),
    share: float | None = None,
    afterwards: Truth | None = None,
) -> Judgement:
    """Try a candidate for up to ``outcomes`` questions; ``afterwards`` is its truth once it is promoted.

    ``share`` None compares both on the same question, as trials in shadow do; a number uses the entry with that
    probability, as exploring runs do.
    """
    chance = random.Random(seed)
    promoted: int | None = None
    for number in range(1, outcomes + 1):
        now = afterwards if promoted is not None and afterwards is not None else truth
        gain = _outcome(now, number, chance, stakes, share)
        entry = entry.model_copy(update={"evidence": added(entry.evidence, gain)})
        change = judged(entry, stakes)
        if change == "demote":
            return Judgement(promoted, number)
        if change == "promote":
            promoted = number
            entry = entry.model_copy(update={"status": "promoted"})
            if afterwards is None:
                break
    return Judgement(promoted)


def _outcome(truth: Truth, number: int, chance: random.Random, stakes: Stakes, share: float | None) -> Gain:
    won = number <= truth.lucky or chance.random() < truth.rate
    default_won = chance.random() < truth.default_rate
    cost = truth.cost * chance.uniform(2 / 3, 4 / 3)
    default_cost = truth.default_cost * chance.uniform(2 / 3, 4 / 3)
    if share is None:
        return paired(won, cost, default_won, default_cost, stakes)
    used = chance.random() < share
    return randomised(
        float(won if used else default_won),
        cost if used else default_cost,
        used=used,
        share=share,
        default_rate=truth.default_rate,
        default_cost=truth.default_cost,
        stakes=stakes,
    )
