"""Whether an entry beats the default: anytime-valid evidence, so that looking after every outcome is no fault.

Betting on the mean of bounded differences (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", section 4): a capital starts at 1 and is multiplied by ``1 + bet * difference`` at every outcome. If the entry
were no better than the default, it would ever exceed 1/α with probability at most α (Ville's inequality). The mean over
several fixed bets is such a capital too; their logarithms are sums, so that outcomes can be added atomically, in any
order, and taken back. Demotion reads the same capitals against the entry, never below 1 (Shin, Ramdas and Rinaldo,
"E-detectors", section 2): that tells when an entry that was good stops being so.

Two differences are bet on, each with capitals of its own: that of answers and cost together, and that of answers alone
against what a saving may cost of them. An entry has to prove both.
"""

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.playbook.entry import KINDS, Entry, Evidence

BETS = (0.25, 0.6, 0.95)
"""Of the capital, at each outcome; the first suits small differences, the last large ones."""
_WAYS_DOWN = 2
_HALVINGS = 2.0
"""More than a quarter of the cost saved does not count for more."""

_FEWEST = 4
"""Trials before a candidate is given up."""

Change = Literal["promote", "demote"]


class Stakes(BaseModel):
    """``alpha`` bounds the chance that any entry of a topic is ever promoted though it is no better than the default or
    loses more than it may. ``patience`` is how many outcomes on average pass before an entry exactly as good as the
    default is demoted. ``thrift`` is how many right answers halving the cost is worth; ``margin`` is how many of the
    right answers it may cost at most, however much is saved; ``least`` the fewest outcomes to decide on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(default=0.05, gt=0, lt=1)
    patience: float = Field(default=200, ge=10)
    thrift: float = Field(default=0.25, ge=0, le=1)
    margin: float = Field(default=0.05, ge=0, le=0.5)
    least: int = Field(default=20, ge=1)


class Gain(BaseModel):
    """What one outcome says of an entry against the default. ``right`` estimates the difference in right answers
    without bias: -1, 0 or 1 of a pair, more of a run that chance rarely decides so. ``total`` (-1 to 1) is that
    difference with what the entry saves, ``kept`` (-1 to 1) with the margin: both are above 0 on average for an entry
    that may be promoted, and scaled to be bet on. A ``kept`` of 0 says nothing."""

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
        kept=_bounded((difference + scale * stakes.margin) / (1 + stakes.margin)),
    )


def _bounded(difference: float) -> float:
    return max(-1.0, min(1.0, difference))


def increments(gain: Gain) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What the outcome adds to the log-capitals for the entry, and to those against it: on ``total``, then on ``kept``,
    one for each bet."""
    bets = [(bet, difference) for difference in (gain.total, gain.kept) for bet in BETS]
    up = tuple(math.log1p(bet * difference) for bet, difference in bets)
    return up, tuple(math.log1p(-bet * difference) for bet, difference in bets)


def added(evidence: Evidence, gain: Gain) -> Evidence:
    """The evidence with one more outcome."""
    up, down = increments(gain)
    # Evidence of before there was a margin has no capitals for it.
    before = [(*capitals, *(0.0,) * (len(up) - len(capitals))) for capitals in (evidence.gains, evidence.losses)]
    return Evidence(
        gains=tuple(old + new for old, new in zip(before[0], up, strict=True)),
        losses=tuple(max(0.0, old + new) for old, new in zip(before[1], down, strict=True)),
        edge=evidence.edge + gain.right,
        compared=evidence.compared + 1,
    )


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


def judged(entry: Entry, stakes: Stakes) -> Change | None:
    """What the evidence calls for; disabled entries stay as they are.

    A candidate has to prove that it gains and that it keeps within the margin, so that the chance of promoting one that
    does not do both is no larger than that of the harder of the two. For one that saves nothing the first is the harder
    one: it gains only if it loses no right answers.
    """
    evidence = entry.evidence
    if entry.status == "candidate" and hopeless(evidence):
        return "demote"
    if evidence.compared < stakes.least:
        return None
    if entry.status == "candidate":
        proved = min(better(evidence), within_margin(evidence))
        if proved >= needed(entry.rank, stakes.alpha):
            return "promote"
    if entry.status in ("candidate", "promoted") and _worse(evidence) >= math.log(_WAYS_DOWN * stakes.patience):
        return "demote"
    return None


def _worse(evidence: Evidence) -> float:
    """Natural log of the evidence against the entry, by total or by margin. Either is a detector, and so is their mean:
    with twice the threshold for one of them it takes as long until a false alarm as with one alone."""
    return max(log_evidence(evidence.losses[: len(BETS)]), log_evidence(evidence.losses[len(BETS) :]))
