"""Neighbours' outcomes, with a guard: the fallback route is left only on paired evidence.

The guard is the one mechanism of about 1,500 that held up on held-out data in a public comparison of routers: among the
neighbours that both routes were tried on, the mean difference in value (success less price times cost) over its
standard error must reach ``z``, and twice that where the other route costs more.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routers.estimators.constant import fit_averages
from routers.estimators.features import Array, Features
from routers.estimators.protocol import Fit, Prediction, Predictions, State
from routers.estimators.table import Table

_FEWEST_PAIRS = 8
_PRIOR = 10.0  # neighbours' worth of the route's average in its estimate
_NUMBERS = ("success", "tokens", "cost")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """``vectors`` (n, dimensions) of length 1; ``success``, ``tokens`` and ``cost`` (n, routes), NaN where not tried;
    ``means`` (3, routes)."""

    names: tuple[str, ...]
    fallback: str
    k: int
    z: float
    price: float
    vectors: Array
    success: Array
    tokens: Array
    cost: Array
    means: Array

    @property
    def routes(self) -> tuple[str, ...]:
        return self.names

    def predict(self, features: Features) -> Predictions:
        near = nearest(self.vectors @ features.vector, self.k)
        rows = np.stack([self.success[near], self.tokens[near], self.cost[near]])
        estimates = _shrunk(rows, self.means).tolist()
        default = self.names.index(self.fallback)
        values = rows[0] - self.price * rows[2]
        strict = np.where(self.means[2] > self.means[2, default], 2 * self.z, self.z)
        proven = _stands_out(values - values[:, [default]], strict)
        proven[default] = True
        columns = zip(self.names, *estimates, proven.tolist(), strict=True)
        return {name: Prediction(success, tokens, cost, proof) for name, success, tokens, cost, proof in columns}

    def state(self) -> State:
        arrays = {name: getattr(self, name) for name in ("vectors", *_NUMBERS, "means")}
        values = {name: getattr(self, name) for name in ("fallback", "k", "z", "price")}
        return State("knn", {"routes": list(self.names), **values}, arrays)

    @classmethod
    def restored(cls, state: State) -> "Neighbours":
        values = state.values
        matrices = (state.arrays[name] for name in ("vectors", *_NUMBERS, "means"))
        numbers = (values["k"], values["z"], values["price"])
        return cls(tuple(values["routes"]), values["fallback"], *numbers, *matrices)


def fit_neighbours(k: int = 40, z: float = 0.5, price: float = 0.1) -> Fit:
    """The fallback is the constant that is best at ``price``."""

    def fit(table: Table, seed: int) -> Neighbours:
        averages = fit_averages(table).by_route
        fallback = max(averages, key=lambda name: averages[name].success - price * averages[name].cost)
        means = [[getattr(averages[name], number) for name in table.routes] for number in _NUMBERS]
        matrices = (table.success, table.tokens, table.cost, np.asarray(means))
        success, tokens, cost, mean = (matrix.astype(np.float32) for matrix in matrices)
        return Neighbours(table.routes, fallback, k, z, price, table.vectors, success, tokens, cost, mean)

    return fit


def nearest(similarity: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Indices of the ``k`` most similar, in no order."""
    k = min(k, len(similarity))
    return np.argpartition(-similarity, k - 1)[:k]


def _shrunk(rows: Array, means: Array) -> Array:
    """Neighbours' means (numbers, routes) of ``rows`` (numbers, k, routes), drawn towards the route's own where few
    neighbours were tried."""
    tried = (~np.isnan(rows)).sum(axis=1)
    shrunk: Array = (np.nansum(rows, axis=1) + _PRIOR * means) / (tried + _PRIOR)
    return shrunk


def _stands_out(differences: Array, z: Array) -> NDArray[np.bool_]:
    """For each column of ``differences`` (k, routes): whether the mean over its standard error reaches ``z``."""
    known = ~np.isnan(differences)
    counts = known.sum(axis=0)
    enough = np.maximum(counts, _FEWEST_PAIRS)
    means = np.where(known, differences, 0).sum(axis=0) / enough
    spread = np.where(known, differences - means, 0) ** 2
    errors = np.sqrt(spread.sum(axis=0) / (enough - 1) / enough)
    found: NDArray[np.bool_] = (counts >= _FEWEST_PAIRS) & (means > 0) & (means >= z * errors)
    return found
