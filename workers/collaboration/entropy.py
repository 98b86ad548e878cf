"""Entropy of a next-token distribution of which only the most probable tokens are known."""

import math
from collections.abc import Iterable


def entropy_from_below(top: Iterable[tuple[int, float]]) -> float:
    """Entropy in nats over (id, natural-log probability) pairs, with all that is missing to one as a single outcome.

    Never above the entropy of the whole distribution: merging outcomes cannot add any.
    """
    probabilities = [math.exp(logprob) for _, logprob in top]
    rest = 1.0 - sum(probabilities)
    if rest > 0:
        probabilities.append(rest)
    return max(0.0, -sum(p * math.log(p) for p in probabilities if p > 0))
