"""What every route comes to on average: the baseline that any router has to beat."""

from dataclasses import dataclass

import numpy as np

from routers.estimators.features import Features
from routers.estimators.protocol import Prediction, Predictions, State
from routers.estimators.table import Table

_FEWEST = 20


@dataclass(frozen=True, slots=True)
class Averages:
    """Mean success, tokens and cost by route."""

    by_route: dict[str, Prediction]

    @property
    def routes(self) -> tuple[str, ...]:
        return tuple(self.by_route)

    def predict(self, features: Features) -> Predictions:
        return self.by_route

    def state(self) -> State:
        return State("constant", {"routes": {name: [p.success, p.tokens, p.cost] for name, p in self.by_route.items()}})

    @classmethod
    def restored(cls, state: State) -> "Averages":
        return cls({name: Prediction(*numbers) for name, numbers in state.values["routes"].items()})


def fit_averages(table: Table, seed: int = 0) -> Averages:
    """On the questions that every route was tried on, so that none looks better for having been asked the easy ones;
    on all where there are too few of those."""
    paired = table.complete()
    table = paired if len(paired) >= _FEWEST else table
    means = (np.nanmean(matrix, axis=0) for matrix in (table.success, table.tokens, table.cost))
    rows = zip(table.routes, *means, strict=True)
    return Averages({route: Prediction(float(s), float(t), float(c)) for route, s, t, c in rows})
