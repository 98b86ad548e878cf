"""Whether an entry beats the default: anytime-valid evidence, so that looking after every outcome is no fault.

Betting on the mean of bounded differences (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", section 4): a capital starts at 1 and is multiplied by ``1 + bet * difference`` at every outcome. If the entry
were no better than the default, it would ever exceed 1/α with probability at most α (Ville's inequality). The mean over
several fixed bets is such a capital too; their logarithms are sums, so that outcomes can be added atomically, in any
order, and taken back. Demotion reads the same capitals against the entry, never below 1 (Shin, Ramdas and Rinaldo,
"E-detectors", section 2): that tells when an entry that was good stops being so.

Two differences are bet on, each with capitals of its own: that of answers and cost together, and that of answers alone
against what a saving may cost of them. An entry has to prove both.

A recipe proves them by what it did in all topics of its owner together: the product of capitals is a capital. Whether
an outcome counts there is known before it is: the topic's own outcomes until then have to speak for the recipe. So what
the product is about is using the recipe wherever nothing speaks against it, and that is what its promotion does.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.playbook.entry import KINDS, Entry, Evidence, in_order

BETS = (0.25, 0.6, 0.95)
"""Of the capital, at each outcome, on answers and cost; the first suits small differences, the last large ones."""
BETS_ON_KEPT = (0.5, 0.8, 0.95)
"""On the margin. Who loses next to nothing proves it soonest with large bets."""
_WAYS_DOWN = 2
_HALVINGS = 2.0
"""More than a quarter of the cost saved does not count for more."""

_FEWEST = 4
"""Trials before a candidate is given up."""
_COUNTED_AFTER = 2
_USED_AFTER = 6
"""Outcomes in a topic that have to speak for a recipe there: until more of them count for it in other topics, and until
it is used in this one. Fewer let more of the topics in where it fails, more leave fewer outcomes that count."""

Change = Literal["promote", "demote"]


class Stakes(BaseModel):
    """``alpha`` bounds the chance that any entry of a topic is ever promoted though it is no better than the default or
    loses more than it may. ``patience`` is how many outcomes on average pass before an entry exactly as good as the
    default is demoted. ``thrift`` is how many right answers halving the cost is worth; ``margin`` is how many of the
    answers it may turn from right to wrong on balance, however much is saved; ``least`` the fewest outcomes to decide
    on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(default=0.05, gt=0, lt=1)
    patience: float = Field(default=200, ge=10)
    thrift: float = Field(default=0.25, ge=0, le=1)
    margin: float = Field(default=0.1, ge=0, le=0.5)
    least: int = Field(default=20, ge=1)


class Gain(BaseModel):
    """What one outcome says of an entry against the default. ``right`` estimates the difference in right answers
    without bias: -1, 0 or 1 of a pair, more of a run that chance rarely decides so. ``total`` (-1 to 1) is that
    difference with what the entry saves, ``kept`` (-1 to 1) with the margin: both are above 0 on average for an entry
    that may be promoted, and scaled to be bet on: -1 is the most that can be lost. A ``kept`` of 0 says nothing."""

    model_config = ConfigDict(frozen=True)

    right: float
    total: float
    kept: float = 0.0


def saving(cost: float, reference: float) -> float:
    """In halvings of the reference, from -2 (four times as dear, or more) to 2 (a quarter as dear, or less)."""
    if cost <= 0 or reference <= 0:
        return 0.0
    return max(-_HALVINGS, min(_HALVINGS, math.log2(reference / cost)))


def paired(won: bool, cost: float, default_won: bool, default_cost: float, stakes: Stakes) -> Gain:
    """From entry and default on the same question."""
    right = float(won) - float(default_won)
    return _gain(right, right, saving(cost, default_cost), 1.0, stakes)


def randomised(
    won: float, cost: float, *, used: bool, share: float, default_rate: float, default_cost: float, stakes: Stakes
) -> Gain:
    """From one run, in which the entry was ``used`` with probability ``share``, decided by chance.

    Weighted by the inverse of that probability, such outcomes add up to the difference between the two arms whatever
    the questions were (Horvitz and Thompson); ``default_rate`` and ``default_cost``, known before the run, only take
    out noise. To be bet on, they are made so much smaller that none is beyond what a pair says.
    """
    rarer = min(share, 1 - share)
    weight = (float(used) - share) / max(share, 1 - share)
    difference = weight * (won - default_rate)
    return _gain(difference / rarer, difference, weight * saving(cost, default_cost), rarer, stakes)


def _gain(right: float, difference: float, saved: float, scale: float, stakes: Stakes) -> Gain:
    """``difference`` is on average ``scale`` times the difference in right answers, ``saved`` in halvings as often."""
    return Gain(
        right=right,
        total=_bounded((difference + stakes.thrift * saved) / (1 + _HALVINGS * stakes.thrift)),
        # A win beyond 1 counts as 1: that takes nothing from what is lost.
        kept=_bounded((difference + scale * stakes.margin) / (1 - scale * stakes.margin)),
    )


def _bounded(difference: float) -> float:
    return max(-1.0, min(1.0, difference))


def increments(gain: Gain) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What the outcome adds to the log-capitals for the entry, and to those against it: on ``total``, then on ``kept``,
    one for each bet."""
    bets = [*((bet, gain.total) for bet in BETS), *((bet, gain.kept) for bet in BETS_ON_KEPT)]
    up = tuple(math.log1p(bet * difference) for bet, difference in bets)
    return up, tuple(math.log1p(-bet * difference) for bet, difference in bets)


def added(evidence: Evidence, gain: Gain, *, pooled: bool = False) -> Evidence:
    """The evidence with one more outcome, which counts for the recipe in every topic where it is ``pooled``."""
    up, down = increments(gain)
    return Evidence(
        gains=_sums(evidence.gains, up),
        losses=tuple(max(0.0, value) for value in _sums(evidence.losses, down)),
        pooled=_sums(evidence.pooled, up) if pooled else evidence.pooled,
        edge=evidence.edge + gain.right,
        compared=evidence.compared + 1,
    )


def together(entries: Iterable[Entry]) -> Evidence:
    """What counts of a recipe's outcomes in all topics, from its entries there, as evidence of its own. Where a topic
    has it twice, as an import may leave it, the first counts: both are tried on the same questions."""
    first = {entry.topic: entry for entry in reversed(in_order(entries))}
    there = [entry.evidence for entry in first.values()]
    return Evidence(
        # Rounded once: topics come in the order of their entries' worth and random ids.
        gains=tuple(math.fsum(values) for values in zip_longest(*(each.pooled for each in there), fillvalue=0.0)),
        edge=math.fsum(each.edge for each in there),
        compared=sum(each.compared for each in there),
    )


def fits(evidence: Evidence, stakes: Stakes, after: int = _USED_AFTER) -> bool:
    """Whether a recipe's outcomes in a topic, ``after`` so many, speak for it there: it gained and kept within the
    margin, as far as is seen. One that lost an answer has to make up for it with those that it keeps."""
    if evidence.compared < after:
        return False
    return evidence.edge >= -stakes.margin * evidence.compared and evidence.gains[0] >= 0


def counts_everywhere(entry: Entry, stakes: Stakes) -> bool:
    """Whether the entry's next outcome counts for the same recipe in other topics too."""
    return entry.kind == "recipe" and fits(entry.evidence, stakes, _COUNTED_AFTER)


def _sums(before: Sequence[float], new: Sequence[float]) -> tuple[float, ...]:
    # Evidence of before there was a margin has no capitals for it; where nothing was pooled there are none.
    length = max(len(before), len(new))
    padded = [(*values, *(0.0,) * (length - len(values))) for values in (before, new)]
    return tuple(old + more for old, more in zip(*padded, strict=True))


def better(evidence: Evidence) -> float:
    """Natural log of the evidence that the entry gains, right answers and cost together."""
    return log_evidence(evidence.gains[: len(BETS)])


def within_margin(evidence: Evidence) -> float:
    """Natural log of the evidence that the entry does not lose more right answers than it may."""
    return log_evidence(evidence.gains[len(BETS) :])


def log_evidence(capitals: Sequence[float]) -> float:
    """Natural log of the mean capital."""
    if not capitals:
        return 0.0
    top = max(capitals)
    return top + math.log(sum(math.exp(value - top) for value in capitals) / len(capitals))


def needed(rank: int, alpha: float) -> float:
    """The log-evidence that promotes candidate number ``rank`` of its kind in a topic: each kind has its part of α, of
    which α / (rank (rank + 1)) goes to each candidate: that sums to α over however many there will ever be."""
    return math.log(len(KINDS) * rank * (rank + 1) / alpha)


def hopeless(evidence: Evidence) -> bool:
    """Whether a candidate is not worth more trials: what it gained on average lies more than 1/√n, two standard errors
    of the widest spread, below nothing. Nobody uses a candidate, so it takes less to give it up than to demote what is
    in use."""
    count = evidence.compared
    if count < _FEWEST:
        return False
    # The smallest bet's capital grows by about the bet times what is gained.
    mean = evidence.gains[0] / (BETS[0] * count)
    return mean < -1 / math.sqrt(count)


def judged(entry: Entry, stakes: Stakes, everywhere: Evidence | None = None) -> Change | None:
    """What the evidence calls for; disabled entries stay as they are. A recipe is promoted by its evidence
    ``everywhere`` (``together``), in the topics that it fits: without that it has what its own topic counts for.

    A candidate has to prove that it gains and that it keeps within the margin, so that the chance of promoting one that
    does not do both is no larger than that of the harder of the two. For one that saves nothing the first is the harder
    one: it gains only if it loses no right answers.
    """
    evidence = entry.evidence
    if entry.status == "candidate" and hopeless(evidence):
        return "demote"
    if entry.status == "candidate" and _is_proved(entry, stakes, everywhere):
        return "promote"
    if evidence.compared < stakes.least or entry.status not in ("candidate", "promoted"):
        return None
    return "demote" if _worse(evidence) >= math.log(_WAYS_DOWN * stakes.patience) else None


def _is_proved(entry: Entry, stakes: Stakes, everywhere: Evidence | None) -> bool:
    evidence = entry.evidence
    if entry.kind == "recipe":
        if not fits(evidence, stakes):
            return False
        evidence = everywhere or together([entry])
    proved = min(better(evidence), within_margin(evidence))
    return evidence.compared >= stakes.least and proved >= needed(entry.rank, stakes.alpha)


def _worse(evidence: Evidence) -> float:
    """Natural log of the evidence against the entry, by total or by margin. Either is a detector, and so is their mean:
    with twice the threshold for one of them it takes as long until a false alarm as with one alone."""
    return max(log_evidence(evidence.losses[: len(BETS)]), log_evidence(evidence.losses[len(BETS) :]))
