"""How a router does beyond its training: with a route it has hardly seen, and on questions of another kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from routers.acceptance.asked import folds_of
from routers.estimators.descriptions import parts_of
from routers.estimators.features import Array, Features
from routers.estimators.route_to_reason_training import Options, fit_route_to_reason, with_route
from routers.estimators.table import Table
from routers.evaluation import Difference, difference, taken
from routers.familiarity import fit_familiarity

_FOLDS = 3


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A ``route`` whose strategy training had not seen, added with ``outcomes`` outcomes. ``chosen``: the share it was
    taken on of the ``best_on`` test questions where it alone had the highest value; ``elsewhere``: of the others.
    ``gain`` in value over the router without it."""

    route: str
    outcomes: int
    best_on: int
    chosen: float
    elsewhere: float
    gain: Difference


@dataclass(frozen=True, slots=True)
class Drifted:
    """Of ``n`` questions of another kind the share that ``fell_back``; ``familiar`` is that share on held-out questions
    of the training's own kind, where falling back is a loss."""

    n: int
    fell_back: float
    familiar: float


def leave_one_out(
    table: Table,
    route: str,
    descriptions: Mapping[str, Array],
    *,
    price: float,
    outcomes: int = 20,
    seed: int = 0,
    options: Options = Options(),
) -> LeftOut:
    """Train without any route of ``route``'s strategy on two thirds of the questions, add it with a few of their
    outcomes, and test on the rest. ``table`` is complete."""
    strategy, _ = parts_of(route)
    others = [name for name in table.routes if parts_of(name)[0] != strategy]
    table = table.only((*others, route))
    fold = np.asarray(folds_of(table.split_keys, _FOLDS, seed))
    train, test = table.rows(np.flatnonzero(fold != 0)), table.rows(np.flatnonzero(fold == 0))
    router = fit_route_to_reason(descriptions, options)(train.only(others), seed)
    few = np.random.default_rng(seed).permutation(len(train))[:outcomes]
    wider = with_route(router, route, train.rows(few), descriptions, options)
    features = test.features()
    with_it = taken(test, [wider.predict(one) for one in features], price)
    without = taken(test, [router.predict(one) for one in features], price)
    column = test.routes.index(route)
    worth = test.success - price * test.cost
    alone = worth[:, column] > np.delete(worth, column, axis=1).max(axis=1)
    picked = with_it.routes == column
    return LeftOut(
        route=route,
        outcomes=outcomes,
        best_on=int(alone.sum()),
        chosen=float(picked[alone].mean()) if alone.any() else 0.0,
        elsewhere=float(picked[~alone].mean()) if not alone.all() else 0.0,
        gain=difference(with_it.value(price) - without.value(price), test.split_keys),
    )


def drift(table: Table, strangers: Sequence[Features], seed: int = 0) -> Drifted:
    """Whether questions of another kind are told from those that were trained on. Two thirds of ``table`` are trained
    on, the rest is what should be familiar."""
    fold = np.asarray(folds_of(table.split_keys, _FOLDS, seed))
    known = fit_familiarity(table.rows(np.flatnonzero(fold != 0)), seed)
    own = table.rows(np.flatnonzero(fold == 0)).features()
    shares = [np.mean([known.strange(one) is not None for one in questions]) for questions in (strangers, own)]
    return Drifted(len(strangers), float(shares[0]), float(shares[1]))
