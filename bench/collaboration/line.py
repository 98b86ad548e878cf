"""The straight line between the two models, and how far a policy is above it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question: whether the answer was right, its tokens, and how many of them the large model wrote."""

    correct: bool
    tokens: int
    large: int


@dataclass(frozen=True, slots=True)
class Distance:
    """Accuracy above that of mixing the two models at random with the same share of large tokens; ``low`` and ``high``
    bound its 95 % interval."""

    above: float
    low: float
    high: float


def distance_above_line(
    policy: Sequence[Outcome], small: Sequence[Outcome], large: Sequence[Outcome], seed: int = 0
) -> Distance:
    """Outcomes of the same questions in the same order. The interval is of a bootstrap over questions, paired: a draw
    takes the same questions from all three, their shares of large tokens included."""
    if not len(policy) == len(small) == len(large) > 0:
        raise ValueError(f"{len(policy)}, {len(small)} and {len(large)} outcomes are not of the same questions")
    columns = np.array(
        [
            [float(o.correct) for o in policy],
            [float(o.correct) for o in small],
            [float(o.correct) for o in large],
            [float(o.large) for o in policy],
            [float(o.tokens) for o in policy],
        ]
    )
    everything = np.arange(len(policy))[None]
    draws = np.random.default_rng(seed).integers(0, len(policy), (_DRAWS, len(policy)))
    low, high = np.percentile(_above(columns, draws), [2.5, 97.5])
    return Distance(float(_above(columns, everything)[0]), float(low), float(high))


def _above(columns: NDArray[np.float64], draws: NDArray[np.int64]) -> NDArray[np.float64]:
    policy, small, large, by_large, tokens = (columns[row][draws].mean(axis=1) for row in range(5))
    share = by_large / np.maximum(tokens, 1e-9)
    out: NDArray[np.float64] = policy - (small + share * (large - small))
    return out


def accuracy_at(share: float, points: Sequence[tuple[float, float]]) -> float:
    """Accuracy at ``share`` on the line through ``points`` (share, accuracy), flat beyond both ends."""
    ordered = sorted(points)
    return float(np.interp(share, [x for x, _ in ordered], [y for _, y in ordered]))
