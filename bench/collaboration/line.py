"""The line of mixing answers of several systems at random, and how far a policy is above it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question: whether the answer was right, its tokens, and how many of them are the large model's. Tokens that
    the large model decoded and the answer does not show (a plan, a grade, what was cut off) are in both numbers: a
    policy pays for them. Those that the small one decoded in vain are in neither, or the share would fall with waste.
    """

    correct: bool
    tokens: int
    large: int


@dataclass(frozen=True, slots=True)
class Distance:
    """Accuracy above that of mixing other systems at random with the same share of large tokens; ``low`` and ``high``
    bound its 95 % interval."""

    above: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether the interval leaves zero on one side."""
        return self.low > 0 or self.high < 0


def distance_above_line(policy: Sequence[Outcome], points: Sequence[Sequence[Outcome]], seed: int = 0) -> Distance:
    """How far ``policy`` is above the line through ``points``, two systems or more by their shares of large tokens,
    flat beyond both ends. Outcomes of the same questions in the same order. The interval is of a bootstrap over
    questions, paired: a draw takes the same questions from all, their shares of large tokens included."""
    sizes = [len(outcomes) for outcomes in (policy, *points)]
    if len(set(sizes)) != 1 or not sizes[0] or len(points) < 2:
        raise ValueError(f"{sizes} outcomes are not of the same questions, by a policy and two systems or more")
    everything = np.arange(len(policy))[None]
    draws = np.random.default_rng(seed).integers(0, len(policy), (_DRAWS, len(policy)))
    low, high = np.percentile(_above(policy, points, draws), [2.5, 97.5])
    return Distance(float(_above(policy, points, everything)[0]), float(low), float(high))


def _above(
    policy: Sequence[Outcome], points: Sequence[Sequence[Outcome]], draws: NDArray[np.int64]
) -> NDArray[np.float64]:
    share, accuracy = _drawn(policy, draws)
    drawn = [_drawn(outcomes, draws) for outcomes in points]
    shares, accuracies = (np.stack([point[axis] for point in drawn]) for axis in (0, 1))
    order = np.argsort(shares, axis=0, kind="stable")
    shares, accuracies = (np.take_along_axis(values, order, axis=0) for values in (shares, accuracies))
    out: NDArray[np.float64] = accuracy - _on_line(share, shares, accuracies)
    return out


def _drawn(outcomes: Sequence[Outcome], draws: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of large tokens and accuracy in each draw."""
    correct, tokens, large = (
        np.array(column, dtype=float)[draws].mean(axis=1)
        for column in zip(*((one.correct, one.tokens, one.large) for one in outcomes), strict=True)
    )
    return large / np.maximum(tokens, 1e-9), correct


def _on_line(
    share: NDArray[np.float64], shares: NDArray[np.float64], accuracies: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(draws): accuracy at ``share`` (draws) on the line through (points, draws), the lowest share first."""
    out: NDArray[np.float64] = np.where(share < shares[0], accuracies[0], accuracies[-1])
    for left in range(len(shares) - 1):
        width = np.maximum(shares[left + 1] - shares[left], 1e-9)
        part = (share - shares[left]) / width
        between = accuracies[left] + part * (accuracies[left + 1] - accuracies[left])
        out = np.where((shares[left] <= share) & (share <= shares[left + 1]), between, out)
    return out
