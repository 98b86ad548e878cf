"""Intervals and paired comparisons."""

import math
from collections.abc import Sequence

import numpy as np

from routers.intervals import wilson

__all__ = ["paired_difference", "wilson"]

_Z = 1.959963984540054


def paired_difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Mean of first − second over the same questions, with its 95 % interval from the paired standard error."""
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    mean = float(differences.mean())
    error = float(differences.std(ddof=1) / math.sqrt(len(differences))) if len(differences) > 1 else 1.0
    return mean, (mean - _Z * error, mean + _Z * error)
