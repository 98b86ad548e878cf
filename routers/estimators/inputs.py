"""A question as the columns that a small network reads."""

import math
import re
from dataclasses import dataclass
from typing import get_args

import numpy as np

from agents.problem import AnswerForm
from routers.estimators.features import Array, Features
from routers.estimators.table import Table

_FORMS: tuple[AnswerForm, ...] = get_args(AnswerForm)
_NUMBER = re.compile(r"\d[\d,.]*")
_COMPONENTS = 24
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Inputs:
    """Main components of the vector (hundreds of questions cannot fill more), form, and the logarithms of words and
    numbers. ``centre`` (dimensions), ``axes`` (dimensions, c), ``mean`` and ``deviation`` (columns)."""

    centre: Array
    axes: Array
    mean: Array
    deviation: Array

    def columns(self, features: Features) -> Array:
        """(columns)"""
        columns: Array = (self._raw(features) - self.mean) / self.deviation
        return columns

    def _raw(self, features: Features) -> Array:
        form = [float(features.form == known) for known in _FORMS]
        return np.concatenate([(features.vector - self.centre) @ self.axes, form, lengths(features.text)]).astype(
            np.float32
        )

    @classmethod
    def fitted(cls, table: Table) -> "Inputs":
        centre = table.vectors.mean(axis=0)
        axes = np.linalg.svd(table.vectors - centre, full_matrices=False)[2][:_COMPONENTS].T.astype(np.float32)
        count = axes.shape[1] + len(_FORMS) + 2
        plain = cls(centre, axes, np.zeros(count, dtype=np.float32), np.ones(count, dtype=np.float32))
        rows = np.stack([plain._raw(features) for features in table.features()])
        deviation = rows.std(axis=0)
        # Components keep their proportions: the last ones are mostly noise and stay small.
        deviation[: axes.shape[1]] = deviation[: axes.shape[1]].max(initial=0.0)
        # A form that never came up would be blown up the first time it does.
        deviation[deviation < _TINY] = 1.0
        return cls(centre, axes, rows.mean(axis=0), deviation.astype(np.float32))


def lengths(text: str) -> tuple[float, float]:
    """The logarithms of words and of numbers."""
    return math.log1p(len(text.split())), math.log1p(len(_NUMBER.findall(text)))
