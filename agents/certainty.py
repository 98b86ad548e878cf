"""How sure a model was while it wrote, read from the alternatives of its tokens.

After DeepConf (Fu et al. 2025), section 3.1: the confidence of a token is the negative mean log-probability of its
most probable alternatives, in nats; the more peaked the distribution, the higher. Scores of different models, or of
different numbers of alternatives, cannot be compared.
"""

from collections import deque
from collections.abc import Sequence
from typing import Literal

from workers.engines.protocol import Token

Measure = Literal["mean", "tail", "lowest-tenth", "lowest"]
"""Of a sample: the mean over all tokens, over the last window, over the tenth of windows with the lowest means, or the
lowest window."""


def token_confidence(token: Token) -> float | None:
    """None where the engine sent no alternatives."""
    if len(token.top) < 2:
        return None
    return -sum(logprob for _, logprob in token.top) / len(token.top)


def confidence(tokens: Sequence[Token], measure: Measure, window: int) -> float | None:
    """The confidence of a whole sample; ``window`` in tokens. None without alternatives."""
    values = [value for value in map(token_confidence, tokens) if value is not None]
    if not values:
        return None
    if measure == "mean":
        return _mean(values)
    if measure == "tail":
        return _mean(values[-window:])
    means = sorted(_windows(values, window))
    return means[0] if measure == "lowest" else _mean(means[: max(1, len(means) // 10)])


def _windows(values: Sequence[float], window: int) -> list[float]:
    """Means of all windows; of the whole where it is shorter than one."""
    if len(values) <= window:
        return [_mean(values)]
    running = sum(values[:window])
    means = [running / window]
    for entering, leaving in zip(values[window:], values, strict=False):
        running += entering - leaving
        means.append(running / window)
    return means


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


class SlidingConfidence:
    """The mean confidence of the last ``window`` tokens while a sample is written."""

    def __init__(self, window: int) -> None:
        self._values: deque[float] = deque(maxlen=window)

    def add(self, token: Token) -> float | None:
        """The window's mean once it is full; None before, and without alternatives."""
        value = token_confidence(token)
        if value is not None:
            self._values.append(value)
        full = len(self._values) == self._values.maxlen
        return _mean(tuple(self._values)) if full else None
