"""What a head sees of a token, as numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.collaboration.entropy import entropy_from_below
from workers.collaboration.head import TokenFeatures

TOP = 20
"""How many log-probabilities are looked at: what an engine sends for 100 of them costs more than it tells."""

_FLOOR = -20.0
SCALARS = TOP + 3


def scalars(features: TokenFeatures) -> NDArray[np.float32]:
    """(SCALARS): the ``TOP`` highest log-probabilities in order (nothing below the floor of −20, which also stands for
    those that are missing), the token's own, the entropy in nats, and how far the second one is below the first."""
    own = next((logprob for token, logprob in features.top if token == features.id), _FLOOR)
    return _scalars([logprob for _, logprob in features.top], own, features.entropy)


def greedy_scalars(logprobs: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, SCALARS) for n places of which the most probable token is the one in question; ``logprobs`` (n, TOP)."""
    rows = [
        _scalars(row, float(row[0]), entropy_from_below((0, float(value)) for value in row))
        for row in logprobs[:, :TOP]
    ]
    return np.stack(rows)


def _scalars(logprobs: Sequence[float] | NDArray[np.float32], own: float, entropy: float) -> NDArray[np.float32]:
    top = np.full(TOP, _FLOOR, dtype=np.float32)
    known = np.sort(np.asarray(logprobs, dtype=np.float32))[::-1][:TOP]
    top[: len(known)] = np.maximum(known, _FLOOR)
    return np.concatenate([top, np.asarray([max(own, _FLOOR), entropy, top[0] - top[1]], dtype=np.float32)])
