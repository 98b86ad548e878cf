"""Outcomes as the matrix that estimators learn from: questions by routes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.problem import AnswerForm
from routers.acceptance.attempt import Roles, by_role
from routers.cost import weigh_all
from routers.estimators.features import Features
from routers.outcome import Outcome

Matrix = NDArray[np.float64]
_FEWEST = 20


class TooFewOutcomes(Exception):
    """There is too little to learn from; the message says what there is and how to get more."""


@dataclass(frozen=True, slots=True)
class Table:
    """``n`` questions by ``r`` routes, each with its own sampling (seed 0), as it serves: further samples are drawn at
    a temperature and are right less often. NaN where a route was not tried. ``success`` is 1 where it was right;
    ``tokens`` were written, as budgets count them. ``vectors`` has shape (n, dimensions). ``unit``: parameter-weighted
    tokens that cost 1."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    forms: tuple[AnswerForm, ...]
    families: tuple[str, ...]
    split_keys: tuple[str, ...]
    routes: tuple[str, ...]
    vectors: NDArray[np.float32]
    success: Matrix
    tokens: Matrix
    cost: Matrix
    unit: float

    def __len__(self) -> int:
        return len(self.ids)

    def features(self) -> list[Features]:
        rows = zip(self.texts, self.forms, self.vectors, strict=True)
        return [Features(text, form, vector) for text, form, vector in rows]

    def rows(self, chosen: Sequence[int] | NDArray[np.int64]) -> "Table":
        """The questions with these indices."""
        index = np.asarray(chosen, dtype=np.int64)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in index),
            texts=tuple(self.texts[i] for i in index),
            forms=tuple(self.forms[i] for i in index),
            families=tuple(self.families[i] for i in index),
            split_keys=tuple(self.split_keys[i] for i in index),
            vectors=self.vectors[index],
            success=self.success[index],
            tokens=self.tokens[index],
            cost=self.cost[index],
        )

    def only(self, routes: Sequence[str]) -> "Table":
        """The same questions with these routes alone."""
        columns = [self.routes.index(route) for route in routes]
        return replace(
            self,
            routes=tuple(routes),
            success=self.success[:, columns],
            tokens=self.tokens[:, columns],
            cost=self.cost[:, columns],
        )

    def complete(self) -> "Table":
        """The questions that every route was tried on."""
        return self.rows(np.flatnonzero(~np.isnan(self.success).any(axis=1)))

    def digest(self) -> str:
        """A sha256 of what is learned from, the same for the same outcomes in any order of files."""
        digest = hashlib.sha256("\0".join(self.routes).encode())
        for row, question in enumerate(self.ids):
            digest.update(f"{question}\0{self.split_keys[row]}\0{self.texts[row]}".encode())
            for matrix in (self.success, self.tokens):
                digest.update(np.ascontiguousarray(matrix[row]).tobytes())
        return digest.hexdigest()


def texts_of(outcomes: Iterable[Outcome]) -> list[str]:
    """The questions that ``table_of`` needs the vectors of, in its order."""
    return [made[0].question for _, made in _by_question(outcomes)]


def table_of(
    outcomes: Sequence[Outcome],
    vectors: NDArray[np.float32],
    roles: Roles,
    parameters: Mapping[str, float],
    yardstick: str = "cot(large)",
) -> Table:
    """``vectors``: of ``texts_of(outcomes)``. ``parameters``: billions by model name. Routes that were tried on fewer
    than twenty questions are left out. Outcomes without their question have no features and are left out.

    Raises ``TooFewOutcomes``.
    """
    grouped = _by_question(outcomes)
    if not grouped:
        raise TooFewOutcomes("there are no outcomes with their question; collect some with `tandem bench collect`")
    routes = _tried_enough(grouped, roles)
    shape = (len(grouped), len(routes))
    success, tokens, cost = (np.full(shape, np.nan) for _ in range(3))
    for row, (_, made) in enumerate(grouped):
        for outcome in made:
            route = by_role(outcome.route, roles)
            if route not in routes:
                continue
            place = row, routes.index(route)
            success[place] = outcome.correct
            tokens[place] = sum(use.completion for use in outcome.tokens.values())
            cost[place] = weigh_all(outcome.tokens, parameters)
    unit = _unit(cost, routes, yardstick)
    firsts = [made[0] for _, made in grouped]
    return Table(
        tuple(question for question, _ in grouped),
        tuple(outcome.question for outcome in firsts),
        tuple(outcome.form for outcome in firsts),
        tuple(outcome.family for outcome in firsts),
        tuple(outcome.split_key for outcome in firsts),
        tuple(routes),
        vectors,
        success,
        tokens,
        cost / unit,
        unit,
    )


def _by_question(outcomes: Iterable[Outcome]) -> list[tuple[str, list[Outcome]]]:
    """Attempts with a route's own sampling alone."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.question and outcome.seed == 0:
            found.setdefault(outcome.id, []).append(outcome)
    return sorted(found.items())


def _tried_enough(grouped: Sequence[tuple[str, Sequence[Outcome]]], roles: Roles) -> list[str]:
    counts: dict[str, int] = {}
    for _, made in grouped:
        for route in {by_role(outcome.route, roles) for outcome in made}:
            counts[route] = counts.get(route, 0) + 1
    routes = sorted(route for route, count in counts.items() if count >= _FEWEST)
    if len(routes) < 2:
        raise TooFewOutcomes(
            f"{len(routes)} of {len(counts)} routes were tried on {_FEWEST} questions or more ({counts}), and a router "
            "needs two; collect more with `tandem bench collect`"
        )
    return routes


def _unit(cost: Matrix, routes: Sequence[str], yardstick: str) -> float:
    """The yardstick's mean, else that of the dearest route."""
    means = np.nanmean(cost, axis=0)
    unit = float(means[routes.index(yardstick)] if yardstick in routes else means.max())
    return unit or 1.0
