"""Intervals of shares."""

import math

_Z = 1.959963984540054


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of ``right`` of ``n``; all of 0 to 1 for none."""
    if n == 0:
        return 0.0, 1.0
    share = right / n
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)
