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
    """A ``route`` whose strategy training had not seen, added with ``outcomes`` outcomes. ``best_in``: the families
    where it is best (``best_families``). ``chosen``: the share it was taken on of their ``best_on`` questions, 0 where
    there are none; ``elsewhere``: of the ``others``. ``gain`` in value over the router without it, on all of them."""

    route: str
    outcomes: int
    best_in: tuple[str, ...]
    best_on: int
    chosen: float
    others: int
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
    outcomes, drawn at random, and test on the last third: every third is the last once. It is compared with routes of
    other strategies alone. ``table`` is complete."""
    strategy, _ = parts_of(route)
    others = [name for name in table.routes if parts_of(name)[0] != strategy]
    table = table.only((*others, route))
    fold = np.asarray(folds_of(table.split_keys, _FOLDS, seed))
    picked, gained = np.zeros(len(table), dtype=bool), np.zeros(len(table))
    for number in range(_FOLDS):
        train, tested = table.rows(np.flatnonzero(fold != number)), np.flatnonzero(fold == number)
        test = table.rows(tested)
        router = fit_route_to_reason(descriptions, options)(train.only(others), seed)
        few = np.random.default_rng((seed, number)).permutation(len(train))[:outcomes]
        wider = with_route(router, route, train.rows(few), descriptions, options)
        features = test.features()
        with_it = taken(test, [wider.predict(one) for one in features], price)
        without = taken(test, [router.predict(one) for one in features], price)
        picked[tested] = with_it.routes == test.routes.index(route)
        gained[tested] = with_it.value(price) - without.value(price)
    best_in = best_families(table, route, price)
    best = np.asarray([family in best_in for family in table.families])
    return LeftOut(
        route=route,
        outcomes=outcomes,
        best_in=best_in,
        best_on=int(best.sum()),
        chosen=float(picked[best].mean()) if best.any() else 0.0,
        others=int((~best).sum()),
        elsewhere=float(picked[~best].mean()) if not best.all() else 0.0,
        gain=difference(gained, table.split_keys),
    )


def best_families(table: Table, route: str, price: float) -> tuple[str, ...]:
    """The families where ``route`` is worth more than every other on average, by more than chance: each paired
    difference has a 95 % interval above 0. Single answers are as often right by luck, which no router can know."""
    worth = table.success - price * table.cost
    gained = worth[:, [table.routes.index(route)]] - np.delete(worth, table.routes.index(route), axis=1)

    def best(family: str) -> bool:
        rows = np.asarray([name == family for name in table.families])
        keys = [key for key, inside in zip(table.split_keys, rows, strict=True) if inside]
        return all(difference(column, keys).low > 0 for column in gained[rows].T)

    return tuple(family for family in sorted(set(table.families)) if best(family))


def drift(table: Table, strangers: Sequence[Features], seed: int = 0) -> Drifted:
    """Whether questions of another kind are told from those that were trained on. Two thirds of ``table`` are trained
    on, the rest is what should be familiar."""
    fold = np.asarray(folds_of(table.split_keys, _FOLDS, seed))
    known = fit_familiarity(table.rows(np.flatnonzero(fold != 0)), seed)
    own = table.rows(np.flatnonzero(fold == 0)).features()
    shares = [np.mean([known.strange(one) is not None for one in questions]) for questions in (strangers, own)]
    return Drifted(len(strangers), float(shares[0]), float(shares[1]))
