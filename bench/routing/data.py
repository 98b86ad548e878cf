"""The outcomes that routing is measured on: questions that every route was tried on, of every family about as many; all
others to learn from; and questions of other kinds, from which nothing is learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from bench.routing.frontier import Trial
from orchestrator.outcomes.learning import of_these_models
from orchestrator.settings import Settings
from routers.acceptance.asked import Asked, asked_of
from routers.acceptance.training import TooFewOutcomes
from routers.cost import weigh_all
from routers.embedding import Embedder
from routers.estimators.table import Table, table_of, texts_of
from routers.outcome import Outcome
from workers.usage import Usage

STRANGE = ("humaneval", "proofwriter")
"""Families that stand for questions of another kind."""
COMPUTED = ("count_bits", "lcm", "letter_counting", "products")
"""Families of reasoning-gym where one strategy, a program, is best beyond doubt. They are in ``wide`` alone."""
_FEWEST = 60
_MOST = 34
"""Questions of a family that are measured, so that none outweighs the others; where each has more, as many as the
smallest has."""

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class RoutingData:
    """``asked`` is everything that may be learned from, and ``learning`` the same as a table; ``tried`` are the
    questions that are measured, in the order of ``table``'s rows: every one of ``routes`` was tried on them. ``short``
    says which families have none of these, and what they lack. ``wide`` has the questions of the families in
    ``COMPUTED`` beside all others that every one of ``routes`` was tried on. ``strangers`` are the questions of the
    families in ``STRANGE``, which are nowhere else. ``parameters``: billions by model name."""

    asked: tuple[Asked, ...]
    tried: tuple[Asked, ...]
    routes: tuple[str, ...]
    learning: Table
    table: Table
    short: Mapping[str, tuple[str, ...]]
    wide: Table
    strangers: tuple[Asked, ...]
    parameters: Mapping[str, float]

    @property
    def keys(self) -> tuple[str, ...]:
        return self.table.split_keys

    def of_tried(self, learned: Sequence[_Row]) -> list[_Row]:
        """What belongs to the measured questions, of something that there is for each row of ``learning``."""
        place = {id: row for row, id in enumerate(self.learning.ids)}
        return [learned[place[id]] for id in self.table.ids]

    @property
    def dataset(self) -> str:
        families = sorted(set(self.table.families))
        return "+".join(families) if len(families) <= 3 else f"{len(families)} families"

    def constant(self, route: str) -> Trial:
        return self.choosing(route, "", [route] * len(self.tried))

    def choosing(self, system: str, setting: str, routes: Sequence[str]) -> Trial:
        """A system that takes one route for each question."""
        taken = [(one, self.place(one, route)) for one, route in zip(self.tried, routes, strict=True)]
        return self.trial(
            system,
            setting,
            right=[float(one.right[index]) for one, index in taken],
            tokens=[one.tokens[index] for one, index in taken],
            seconds=[one.seconds[index] for one, index in taken],
        )

    def trial(
        self,
        system: str,
        setting: str,
        *,
        right: Sequence[float],
        tokens: Sequence[Mapping[str, Usage]],
        seconds: Sequence[float],
    ) -> Trial:
        """From what came of each question and what it took."""
        return Trial(
            system,
            setting,
            np.array(right),
            np.array([weigh_all(used, self.parameters) for used in tokens]),
            np.array(seconds),
            {model: np.array([_counts(used.get(model, Usage())) for used in tokens]) for model in self.parameters},
        )

    def place(self, one: Asked, route: str) -> int:
        index = one.index(route)
        assert index is not None  # what ``tried`` means
        return index


async def routing_data(
    outcomes: Sequence[Outcome], frame: Sequence[str], settings: Settings, embedder: Embedder
) -> RoutingData:
    """``frame``: the routes that a question must have been tried on; others count where they were tried on all of these
    questions. Raises ``TooFewOutcomes``."""
    roles = {name: model.role for name, model in settings.models.items()}
    parameters = {name: model.parameters for name, model in settings.models.items()}
    known = of_these_models(outcomes, settings)
    own = [outcome for outcome in known if outcome.family not in STRANGE]
    usable = [outcome for outcome in own if outcome.family not in COMPUTED]
    asked = asked_of(usable, roles)
    complete = [one for one in asked if all(one.index(route) is not None for route in frame)]
    tried = _measured(complete)
    if len(complete) < _FEWEST:
        raise TooFewOutcomes(
            f"only {len(complete)} questions were tried on all of {', '.join(frame)}, and {_FEWEST} are needed; "
            "collect more with `tandem bench collect`"
        )
    common = set.intersection(*({attempt.route for attempt in one.attempts} for one in tried))
    routes = tuple(sorted(route for route in common if all(one.index(route) is not None for one in tried)))
    learning = table_of(usable, await embedder.embed(texts_of(usable)), roles, parameters).only(routes)
    wide = table_of(own, await embedder.embed(texts_of(own)), roles, parameters).only(routes).complete()
    by_id = {one.id: one for one in tried}
    table = learning.rows([row for row, id in enumerate(learning.ids) if id in by_id])
    return RoutingData(
        tuple(asked),
        tuple(by_id[id] for id in table.ids),
        routes,
        learning,
        table,
        _short(asked, complete, frame),
        replace(wide, cost=wide.cost * wide.unit / learning.unit, unit=learning.unit),
        tuple(asked_of((outcome for outcome in known if outcome.family in STRANGE), roles)),
        parameters,
    )


def _measured(complete: Sequence[Asked]) -> list[Asked]:
    """Of every family about as many, from its first to its last: ids are sorted by subject."""
    families = _by_family(complete).values()
    most = max(_MOST, min(map(len, families), default=0))
    return [
        ones[place * len(ones) // count]
        for ones in families
        if (count := min(most, len(ones)))
        for place in range(count)
    ]


def _counts(usage: Usage) -> tuple[float, float, float]:
    return float(usage.prompt), float(usage.completion), float(usage.cached)


def _by_family(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    found: dict[str, list[Asked]] = {}
    for one in asked:
        found.setdefault(one.family, []).append(one)
    return found


def _short(asked: Sequence[Asked], complete: Sequence[Asked], frame: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Families of which no question was tried on all of ``frame``, and the routes that none or few of theirs was."""
    families = _by_family(asked)
    return {
        name: tuple(route for route in frame if sum(one.index(route) is not None for one in ones) * 2 < len(ones))
        for name, ones in families.items()
        if name not in {one.family for one in complete}
    }
