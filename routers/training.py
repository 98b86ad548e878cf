"""From outcomes to a version of the learned router, judged on questions that it has not seen."""

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from routers.assessment import assess
from routers.estimators.constant import fit_averages
from routers.estimators.features import Array
from routers.estimators.protocol import Estimator, Fit, Predictions
from routers.estimators.route_to_reason import RouteToReason
from routers.estimators.route_to_reason_training import with_route
from routers.estimators.table import Table, TooFewOutcomes
from routers.evaluation import best_constant, brier, cross_fit, judge
from routers.familiarity import Familiarity, fit_familiarity
from routers.route import Effort
from routers.value import has_a_say
from routers.versions import Judged, RouterCard
from workers.messages import Message

_FEWEST_JUDGED = 40
_DECIDING: Effort = "medium"


@dataclass(frozen=True, slots=True)
class Trained:
    """``keys``: the split keys of the questions that it has seen."""

    card: RouterCard
    estimator: Estimator
    familiarity: Familiarity
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Course:
    """How to train: ``kind`` is the estimator's name, ``price`` by effort."""

    kind: str
    small: str
    large: str
    price: Mapping[Effort, float]
    seed: int = 0
    folds: int = 5


def train(table: Table, fit: Fit, course: Course, advance: Callable[[], None] = lambda: None) -> Trained:
    """Cross-fitted folds judge the method; the version itself learns from everything. ``advance`` is called once a fold
    and once at the end. Raises ``TooFewOutcomes`` where too few questions were tried on every route."""
    complete = _complete(table)
    unseen = cross_fit(table, fit, folds=course.folds, seed=course.seed, advance=advance)
    averages = cross_fit(table, fit_averages, folds=course.folds, seed=course.seed)
    held_out, constants = ([predictions[row] for row in complete] for predictions in (unseen, averages))
    judged = table.rows(complete)
    fallback = best_constant(judged, course.price[_DECIDING])
    estimator = fit(table, course.seed)
    advance()
    now = datetime.datetime.now(datetime.UTC)
    data = table.digest()
    card = RouterCard(
        id=f"{now:%Y%m%dT%H%M%S%f}-{data[:6]}",
        created=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        kind=course.kind,
        small=course.small,
        large=course.large,
        data=data,
        seed=course.seed,
        folds=course.folds,
        routes=estimator.routes,
        questions=len(table),
        judged_on=len(judged),
        families={family: table.families.count(family) for family in sorted(set(table.families))},
        fallback=fallback,
        brier=brier(judged, held_out),
        brier_constant=brier(judged, constants),
        judged=tuple(
            _judged(judged, held_out, effort, course.price[effort], fallback) for effort in _efforts(course.price)
        ),
    )
    return Trained(card, estimator, fit_familiarity(table, course.seed), frozenset(table.split_keys))


def without(table: Table, routes: Sequence[str]) -> Table:
    """``table`` without these routes. Raises ``TooFewOutcomes`` for one that it does not have."""
    for route in routes:
        if route not in table.routes:
            raise TooFewOutcomes(
                f"there are too few outcomes of {route} to add it; known: {', '.join(table.routes)}. Collect some with "
                f"`tandem bench collect --route '{route}'`"
            )
    return table.only([route for route in table.routes if route not in routes])


def adding(trained: Trained, route: str, table: Table, descriptions: Mapping[str, Array]) -> Trained:
    """``trained`` with one more route of ``table``, from as few outcomes as there are; how it was judged is about the
    others. Raises ``TooFewOutcomes`` for fewer than twenty, and for an estimator that cannot be added to."""
    estimator = trained.estimator
    if not isinstance(estimator, RouteToReason):
        raise TooFewOutcomes(
            f"{trained.card.kind} learns all routes from the same questions; only route-to-reason adds"
        )
    wider = with_route(estimator, route, table, descriptions)
    card = trained.card.model_copy(update={"routes": wider.routes, "added": (*trained.card.added, route)})
    return replace(trained, card=card, estimator=wider)


def rejudge(
    table: Table,
    estimator: Estimator,
    keys: frozenset[str],
    price: Mapping[Effort, float],
    fallback: str | None = None,
) -> tuple[int, tuple[Judged, ...]]:
    """A version on the questions whose split keys it has not seen in training, and how many these were. ``fallback``
    is the version's. Raises ``TooFewOutcomes``."""
    fresh = table.rows([row for row, key in enumerate(table.split_keys) if key not in keys])
    fresh = fresh.only([route for route in fresh.routes if route in estimator.routes])
    judged = fresh.rows(_complete(fresh))
    predictions = [estimator.predict(features) for features in judged.features()]
    return len(judged), tuple(
        _judged(judged, predictions, effort, price[effort], fallback) for effort in _efforts(price)
    )


def _complete(table: Table) -> NDArray[np.int64]:
    """The rows that every route was tried on, of those that a router would be asked about: what others gain or lose is
    no evidence for it. Raises ``TooFewOutcomes``."""
    asked = np.array([has_a_say(assess([Message(role="user", content=text)])) for text in table.texts], dtype=bool)
    complete = np.flatnonzero(~np.isnan(table.success).any(axis=1) & asked)
    if len(complete) < _FEWEST_JUDGED:
        tried = dict(zip(table.routes, (~np.isnan(table.success)).sum(axis=0).tolist(), strict=True))
        raise TooFewOutcomes(
            f"{len(complete)} questions that a router would be asked about were tried on every one of the routes "
            f"{tried}, and {_FEWEST_JUDGED} are needed to judge one; collect more with `tandem bench collect`, or name "
            "fewer routes with --route"
        )
    return complete


def _efforts(price: Mapping[Effort, float]) -> list[Effort]:
    """Those that pay for answers at all; the one that decides first."""
    finite = [effort for effort, worth in price.items() if math.isfinite(worth)]
    return sorted(finite, key=lambda effort: effort != _DECIDING)


def _judged(table: Table, predictions: list[Predictions], effort: Effort, price: float, fallback: str | None) -> Judged:
    verdict = judge(table, predictions, price, fallback)
    return Judged(
        effort=effort,
        price=price,
        accuracy=verdict.accuracy,
        cost=verdict.cost,
        constant=verdict.constant,
        constant_accuracy=verdict.constant_accuracy,
        constant_cost=verdict.constant_cost,
        oracle_accuracy=verdict.oracle_accuracy,
        difference=verdict.difference.mean,
        interval=(verdict.difference.low, verdict.difference.high),
        headroom=verdict.headroom,
    )
