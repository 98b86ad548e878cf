"""Whether an entry beats the default: anytime-valid evidence, so that looking after every outcome is no fault.

Betting on the mean of bounded differences (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting", section 4): a capital starts at 1 and is multiplied by ``1 + bet * difference`` at every outcome. If the entry
were no better than the default, it would ever exceed 1/α with probability at most α (Ville's inequality). The mean over
several fixed bets is such a capital too; their logarithms are sums, so that outcomes can be added atomically, in any
order, and taken back. Demotion reads the same capitals against the entry, never below 1 (Shin, Ramdas and Rinaldo,
"E-detectors", section 2): that tells when an entry that was good stops being so.
"""

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.playbook.entry import Entry, Evidence

BETS = (0.25, 0.6, 0.95)
"""Of the capital, at each outcome; the first suits small differences, the last large ones."""
_WORST = -1.0
_HALVINGS = 2.0
"""More than a quarter of the cost saved does not count for more."""

_FEWEST = 4
"""Trials before a candidate is given up."""

Change = Literal["promote", "demote"]


class Stakes(BaseModel):
    """``alpha`` bounds the chance that any entry of a topic is ever promoted though it is no better than the default.
    ``patience`` is how many outcomes on average pass before an entry exactly as good as the default is demoted.
    ``thrift`` is how many right answers halving the cost is worth, and ``least`` the fewest outcomes to decide on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(default=0.05, gt=0, lt=1)
    patience: float = Field(default=200, ge=10)
    thrift: float = Field(default=0.25, ge=0, le=1)
    least: int = Field(default=20, ge=1)


class Gain(BaseModel):
    """What one outcome says of an entry against the default: ``right`` (-1 to 1) is the difference in right answers,
    ``total`` (-1 to 1) the same with what it saves."""

    model_config = ConfigDict(frozen=True)

    right: float
    total: float


def saving(cost: float, reference: float) -> float:
    """In halvings of the reference, from -2 (four times as dear, or more) to 2 (a quarter as dear, or less)."""
    if cost <= 0 or reference <= 0:
        return 0.0
    return max(-_HALVINGS, min(_HALVINGS, math.log2(reference / cost)))


def paired(won: bool, cost: float, default_won: bool, default_cost: float, stakes: Stakes) -> Gain:
    """From entry and default on the same question."""
    right = float(won) - float(default_won)
    return Gain(right=right, total=_scaled(right + stakes.thrift * saving(cost, default_cost), stakes))


def randomised(
    won: float, cost: float, *, used: bool, share: float, default_rate: float, default_cost: float, stakes: Stakes
) -> Gain:
    """From one run, in which the entry was ``used`` with probability ``share``, decided by chance.

    Weighted by the inverse of that probability, such outcomes add up to the difference between the two arms whatever
    the questions were (Horvitz and Thompson); ``default_rate`` and ``default_cost``, known before the run, only take
    out noise. Scaled so that it stays between -1 and 1.
    """
    weight = (float(used) - share) / max(share, 1 - share)
    right = weight * (won - default_rate)
    total = weight * (won - default_rate + stakes.thrift * saving(cost, default_cost))
    return Gain(right=right, total=_scaled(total, stakes))


def _scaled(total: float, stakes: Stakes) -> float:
    return total / (1 + _HALVINGS * stakes.thrift)


def increments(gain: Gain) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What the outcome adds to the log-capitals for the entry, and to those against it."""
    total = max(_WORST, min(1.0, gain.total))
    return tuple(math.log1p(bet * total) for bet in BETS), tuple(math.log1p(-bet * total) for bet in BETS)


def added(evidence: Evidence, gain: Gain) -> Evidence:
    """The evidence with one more outcome."""
    up, down = increments(gain)
    gains = evidence.gains or (0.0,) * len(BETS)
    losses = evidence.losses or (0.0,) * len(BETS)
    return Evidence(
        gains=tuple(old + new for old, new in zip(gains, up, strict=True)),
        losses=tuple(max(0.0, old + new) for old, new in zip(losses, down, strict=True)),
        edge=evidence.edge + gain.right,
        compared=evidence.compared + 1,
    )


def log_evidence(capitals: Sequence[float]) -> float:
    """Natural log of the mean capital."""
    if not capitals:
        return 0.0
    top = max(capitals)
    return top + math.log(sum(math.exp(value - top) for value in capitals) / len(capitals))


def needed(rank: int, alpha: float) -> float:
    """The log-evidence that promotes candidate number ``rank`` of a topic: α is split into α / (rank (rank + 1)),
    which sums to α over however many candidates there will ever be."""
    return math.log(rank * (rank + 1) / alpha)


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
    """What the evidence calls for. A candidate that lost more right answers than it won is not promoted, whatever it
    saves; disabled entries stay as they are."""
    evidence = entry.evidence
    if entry.status == "candidate" and hopeless(evidence):
        return "demote"
    if evidence.compared < stakes.least:
        return None
    if entry.status == "candidate":
        beats = log_evidence(evidence.gains) >= needed(entry.rank, stakes.alpha)
        if beats and evidence.edge >= 0:
            return "promote"
    if entry.status in ("candidate", "promoted") and log_evidence(evidence.losses) >= math.log(stakes.patience):
        return "demote"
    return None
