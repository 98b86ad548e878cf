"""How the guard judges an entry whose truth is known: outcomes drawn by chance, until it is promoted or time is up."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.playbook.entry import Entry
from orchestrator.playbook.evidence import (
    Gain,
    Stakes,
    added,
    counts_everywhere,
    judged,
    paired,
    randomised,
    together,
)


@dataclass(frozen=True, slots=True)
class Truth:
    """``rate`` of right answers and mean ``cost`` of an entry and of the default; costs vary by a third. ``lucky``:
    so many first outcomes of the entry are right whatever its rate. Without ``wins`` nothing is right that the default
    gets wrong."""

    rate: float
    default_rate: float
    cost: float = 1.0
    default_cost: float = 1.0
    lucky: int = 0
    wins: bool = True

    @classmethod
    def of_recipe_in_shadow(
        cls, kept: float, cost: float = 0.2, lucky: int = 0, *, default_rate: float = 1.0
    ) -> "Truth":
        """A recipe as trials in shadow meet it: of what the default got right it is right in the share ``kept``, and
        where that was wrong nothing is known of it but that it lost nothing."""
        return cls(rate=kept, default_rate=default_rate, cost=cost, lucky=lucky, wins=False)


@dataclass(frozen=True, slots=True)
class Judgement:
    """After how many outcomes (questions) the candidate was promoted or demoted; None for never."""

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
) -> Judgement:
    """Try a candidate for up to ``outcomes`` questions, or until it is promoted or demoted.

    ``share`` None compares both on the same question, as trials in shadow do; a number uses the entry with that
    probability, as exploring runs do.
    """
    chance = random.Random(seed)
    for number in range(1, outcomes + 1):
        entry = _after(entry, _outcome(truth, number, chance, stakes, share), stakes)
        change = judged(entry, stakes)
        if change is not None:
            return Judgement(promoted=number) if change == "promote" else Judgement(demoted=number)
    return Judgement()


def simulate_together(
    recipe: Entry, truths: Sequence[Truth], *, seed: int, outcomes: int = 500, stakes: Stakes = Stakes()
) -> list[Judgement]:
    """Try the same recipe in several topics, each of which has a truth of its own and as many questions as the others:
    what was judged in each, after how many outcomes in all of them. Where it was promoted or given up there are no more
    trials."""
    chance = random.Random(seed)
    entries = [recipe.model_copy(update={"topic": f"topic {number}"}) for number in range(len(truths))]
    judgements = [Judgement() for _ in truths]
    for number in range(1, outcomes + 1):
        open_topics = [topic for topic, judgement in enumerate(judgements) if judgement == Judgement()]
        if not open_topics:
            break
        tried = chance.choice(open_topics)
        seen = entries[tried].evidence.compared + 1
        entries[tried] = _after(entries[tried], _outcome(truths[tried], seen, chance, stakes, None), stakes)
        everywhere = together(entries)
        for topic in open_topics:
            change = judged(entries[topic], stakes, everywhere)
            if change is not None:
                judgements[topic] = Judgement(promoted=number) if change == "promote" else Judgement(demoted=number)
    return judgements


def runs_until_demoted(
    entry: Entry,
    truth: Truth,
    *,
    seed: int,
    control: float,
    recheck: float,
    runs: int = 5000,
    stakes: Stakes = Stakes(),
) -> int | None:
    """How many of its topic's runs pass until a promoted behaviour is demoted; None if more than ``runs`` would.

    The share ``control`` of the runs goes without it; of the others the share ``recheck`` is repeated with it and
    without.
    """
    chance = random.Random(seed)
    for number in range(1, runs + 1):
        used = chance.random() < 1 - control
        gains = [_by_chance(truth, used, 1 - control, chance, stakes)] if control else []
        if used and chance.random() < recheck:
            gains.append(_outcome(truth, truth.lucky + 1, chance, stakes, None))
        for gain in gains:
            entry = _after(entry, gain, stakes)
        if judged(entry, stakes) == "demote":
            return number
    return None


def _after(entry: Entry, gain: Gain, stakes: Stakes) -> Entry:
    pooled = counts_everywhere(entry, stakes)
    return entry.model_copy(update={"evidence": added(entry.evidence, gain, pooled=pooled)})


def _outcome(truth: Truth, number: int, chance: random.Random, stakes: Stakes, share: float | None) -> Gain:
    if share is not None:
        return _by_chance(truth, chance.random() < share, share, chance, stakes, lucky=number <= truth.lucky)
    won = number <= truth.lucky or chance.random() < truth.rate
    default_won = chance.random() < truth.default_rate
    won = won and (truth.wins or default_won)
    return paired(won, _cost(truth.cost, chance), default_won, _cost(truth.default_cost, chance), stakes)


def _by_chance(
    truth: Truth, used: bool, share: float, chance: random.Random, stakes: Stakes, *, lucky: bool = False
) -> Gain:
    won = (used and lucky) or chance.random() < (truth.rate if used else truth.default_rate)
    return randomised(
        float(won),
        _cost(truth.cost if used else truth.default_cost, chance),
        used=used,
        share=share,
        default_rate=truth.default_rate,
        default_cost=truth.default_cost,
        stakes=stakes,
    )


def _cost(mean: float, chance: random.Random) -> float:
    return mean * chance.uniform(2 / 3, 4 / 3)
