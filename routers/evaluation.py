"""Judging a router on questions that it has not seen: beside every constant route, the random mix and the oracle."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routers.acceptance.asked import folds_of
from routers.estimators.choice import best_route
from routers.estimators.protocol import Fit, Predictions
from routers.estimators.table import Table

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking ``routes`` (indices into the table's), question by question."""

    routes: NDArray[np.int64]
    correct: NDArray[np.float64]
    cost: NDArray[np.float64]

    def value(self, price: float) -> NDArray[np.float64]:
        worth: NDArray[np.float64] = self.correct - price * self.cost
        return worth


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean paired difference with its 95 % interval; questions that share a split key count as one observation."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """A router at ``price`` beside the ``constant`` that is best there in hindsight, which flatters the constant.
    Differences are router − constant, ``difference`` in value (success − price · cost). ``headroom``: the share of what
    the oracle gains in value over the constant; 0 where that is nothing."""

    price: float
    accuracy: float
    cost: float
    constant: str
    constant_accuracy: float
    constant_cost: float
    oracle_accuracy: float
    difference: Difference
    success: Difference
    headroom: float

    @property
    def beats(self) -> bool:
        return self.difference.low > 0


def cross_fit(
    table: Table, fit: Fit, *, folds: int = 5, seed: int = 0, advance: Callable[[], None] = lambda: None
) -> list[Predictions]:
    """For every question the predictions of an estimator that has seen neither it nor its split key's others.
    ``advance`` is called after each fold."""
    fold = np.asarray(folds_of(table.split_keys, folds, seed))
    features = table.features()
    found: list[Predictions] = [{} for _ in features]
    for number in range(folds):
        estimator = fit(table.rows(np.flatnonzero(fold != number)), seed)
        for row in np.flatnonzero(fold == number):
            found[row] = estimator.predict(features[row])
        advance()
    return found


def taken(table: Table, predictions: Sequence[Predictions], price: float, fallback: str | None = None) -> Taken:
    """Take the best route by prediction. Every route must have been tried on every question (``Table.complete``)."""
    names = [best_route(known, price, fallback=fallback) for known in predictions]
    return _taken(table, np.asarray([table.routes.index(name) for name in names], dtype=np.int64))


def constant(table: Table, route: str) -> Taken:
    return _taken(table, np.full(len(table), table.routes.index(route), dtype=np.int64))


def best_constant(table: Table, price: float) -> str:
    """The route with the highest mean value, in hindsight."""
    return table.routes[int(np.argmax((table.success - price * table.cost).mean(axis=0)))]


def oracle(table: Table, price: float = 0.0) -> Taken:
    """The cheapest of the routes with the highest value for each question."""
    worth = table.success - price * table.cost - 1e-9 * table.cost
    return _taken(table, np.argmax(worth, axis=1))


def judge(table: Table, predictions: Sequence[Predictions], price: float, fallback: str | None = None) -> Judgement:
    router = taken(table, predictions, price, fallback)
    best = best_constant(table, price)
    baseline, ideal = constant(table, best), oracle(table, price)
    worth, room = (ones.value(price) - baseline.value(price) for ones in (router, ideal))
    return Judgement(
        price=price,
        accuracy=float(router.correct.mean()),
        cost=float(router.cost.mean()),
        constant=best,
        constant_accuracy=float(baseline.correct.mean()),
        constant_cost=float(baseline.cost.mean()),
        oracle_accuracy=float(ideal.correct.mean()),
        difference=difference(worth, table.split_keys),
        success=difference(router.correct - baseline.correct, table.split_keys),
        headroom=float(worth.mean() / room.mean()) if room.mean() > 0 else 0.0,
    )


def difference(values: NDArray[np.float64], keys: Sequence[str]) -> Difference:
    """The interval from the clusters' standard error, with Student's factor replaced by the normal one and one cluster
    giving no interval at all."""
    mean = float(values.mean())
    sums: dict[str, float] = {}
    for value, key in zip(values, keys, strict=True):
        sums[key] = sums.get(key, 0.0) + float(value) - mean
    if len(sums) < 2:
        return Difference(mean, -math.inf, math.inf, len(values))
    scale = len(sums) / (len(sums) - 1)
    error = math.sqrt(scale * sum(total**2 for total in sums.values())) / len(values)
    return Difference(mean, mean - _Z * error, mean + _Z * error, len(values))


def brier(table: Table, predictions: Sequence[Predictions]) -> float:
    """The mean squared error of predicted success over every attempt."""
    errors = [
        (known[route].success - table.success[row, column]) ** 2
        for row, known in enumerate(predictions)
        for column, route in enumerate(table.routes)
        if route in known and not math.isnan(table.success[row, column])
    ]
    return float(np.mean(errors)) if errors else math.nan


def _taken(table: Table, routes: NDArray[np.int64]) -> Taken:
    rows = np.arange(len(table))
    return Taken(routes, table.success[rows, routes], table.cost[rows, routes])
