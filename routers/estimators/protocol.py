"""The one interface of all estimators."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from routers.estimators.features import Array, Features
from routers.estimators.table import Table


@dataclass(frozen=True, slots=True)
class Prediction:
    """``success``: probability of a right answer. ``tokens``: written by all models. ``cost``: parameter-weighted
    tokens, the large model's ``cot`` on an average question being 1. ``proven`` False: not enough speaks for
    taking this route instead of the fallback."""

    success: float
    tokens: float
    cost: float
    proven: bool = True


Predictions = Mapping[str, Prediction]


@dataclass(frozen=True, slots=True)
class State:
    """An estimator as it is stored: JSON values and arrays by name."""

    kind: str
    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)


class Estimator(Protocol):
    """Predictions are computed with numpy in about a millisecond; ``routes`` are named by role, ``program(large)``."""

    @property
    def routes(self) -> tuple[str, ...]: ...

    def predict(self, features: Features) -> Predictions:
        """By route."""
        ...

    def state(self) -> State: ...


Fit = Callable[[Table, int], Estimator]
"""Learn from a table with a seed; whatever is chosen by validation is chosen inside that table."""
