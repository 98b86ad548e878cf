"""A grade from 0 to 9 that a model gives with one token."""

import math

from workers.engines.protocol import Token


def greedy_digit(token: Token) -> float:
    """The digit that the token is; 0 for anything else."""
    return float(_digit(token.text) or 0)


def average_digit(token: Token) -> float:
    """The expected digit over the digits among ``token.top``, their probabilities made to add up to one; 0 if there
    are none."""
    weights = [
        (digit, math.exp(logprob))
        for (_, logprob), text in zip(token.top, token.spellings, strict=True)
        if (digit := _digit(text)) is not None
    ]
    total = sum(weight for _, weight in weights)
    return sum(digit * weight for digit, weight in weights) / total if total else 0.0


def _digit(text: str) -> int | None:
    stripped = text.strip()
    return int(stripped) if len(stripped) == 1 and stripped in "0123456789" else None
