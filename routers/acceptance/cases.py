"""Training cases: every answer that a policy could find itself with, after one attempt, two or three."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from routers.acceptance.asked import Asked
from routers.acceptance.features import Scales, names, surest, vector

# Of three attempts there are many more sets than of two, and they tell little that is new.
_TRIPLES = 6


@dataclass(frozen=True, slots=True)
class Cases:
    """``columns`` has shape (cases, features). A question counts as 1 in ``weights``, however many cases it has;
    ``keys`` are split keys, ``questions`` indices of the questions, ``size`` the number of attempts."""

    columns: NDArray[np.float64]
    right: NDArray[np.float64]
    weights: NDArray[np.float64]
    keys: tuple[str, ...]
    questions: NDArray[np.int64]
    size: NDArray[np.int64]


def cases_of(asked: Sequence[Asked], routes: Sequence[str], scales: Scales, seed: int) -> Cases:
    """Every leading or losing answer in every set of one and two attempts and in some of three."""
    columns: list[NDArray[np.float64]] = []
    right: list[bool] = []
    weights: list[float] = []
    keys: list[str] = []
    questions: list[int] = []
    size: list[int] = []
    for number, one in enumerate(asked):
        before = len(columns)
        for chosen in _subsets(one, routes, random.Random(f"{seed} {one.id}")):
            attempts, groups = one.view(chosen)
            for camp in groups:
                columns.append(vector(attempts, camp, one.form, routes, scales))
                right.append(one.right[chosen[surest(attempts, camp, scales)]])
                size.append(len(chosen))
        made = len(columns) - before
        # What follows one attempt matters as much as what follows three, of which there are many more.
        counts = Counter(size[before:])
        weights += [1 / (len(counts) * counts[number_of]) for number_of in size[before:]]
        keys += [one.split_key] * made
        questions += [number] * made
    return Cases(
        columns=np.array(columns).reshape(-1, len(names(routes))),
        right=np.array(right, dtype=float),
        weights=np.array(weights),
        keys=tuple(keys),
        questions=np.array(questions, dtype=np.int64),
        size=np.array(size, dtype=np.int64),
    )


def _subsets(one: Asked, routes: Sequence[str], chance: random.Random) -> list[tuple[int, ...]]:
    known = [index for index, attempt in enumerate(one.attempts) if attempt.route in routes]
    triples = list(combinations(known, 3))
    few = chance.sample(triples, min(_TRIPLES, len(triples)))
    return [*combinations(known, 1), *combinations(known, 2), *few]
