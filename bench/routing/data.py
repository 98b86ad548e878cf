"""The outcomes that routing is measured on: as many questions as every route was tried on, and all others to learn
from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.routing.frontier import Trial
from orchestrator.settings import Settings
from routers.acceptance.asked import Asked, asked_of
from routers.acceptance.selection import unselected
from routers.acceptance.training import TooFewOutcomes
from routers.cost import weigh_all
from routers.embedding import Embedder
from routers.estimators.table import Table, table_of, texts_of
from routers.outcome import Outcome

_FEWEST = 60


@dataclass(frozen=True, slots=True)
class RoutingData:
    """``asked`` is everything that may be learned from; ``tried`` are the questions of it that every one of ``routes``
    was tried on, in the order of ``table``'s rows. ``parameters``: billions by model name."""

    asked: tuple[Asked, ...]
    tried: tuple[Asked, ...]
    routes: tuple[str, ...]
    table: Table
    parameters: Mapping[str, float]

    @property
    def keys(self) -> tuple[str, ...]:
        return self.table.split_keys

    @property
    def dataset(self) -> str:
        families = sorted(set(self.table.families))
        return "+".join(families) if len(families) <= 3 else f"{len(families)} families"

    def constant(self, route: str) -> Trial:
        return self.choosing(route, "", [route] * len(self.tried))

    def choosing(self, system: str, setting: str, routes: Sequence[str]) -> Trial:
        """A system that takes one route for each question."""
        right, cost = zip(*(self.outcome(row, route) for row, route in enumerate(routes)), strict=True)
        return Trial(system, setting, np.array(right), np.array(cost))

    def place(self, one: Asked, route: str) -> int:
        index = one.index(route)
        assert index is not None  # what ``tried`` means
        return index

    def outcome(self, row: int, route: str) -> tuple[float, float]:
        """Whether the route was right on a question, and its cost in parameter-weighted tokens."""
        one = self.tried[row]
        index = self.place(one, route)
        return float(one.right[index]), weigh_all(one.tokens[index], self.parameters)


async def routing_data(
    outcomes: Sequence[Outcome], frame: Sequence[str], settings: Settings, embedder: Embedder
) -> RoutingData:
    """``frame``: the routes that a question must have been tried on; others count where they were tried on all of these
    questions. Raises ``TooFewOutcomes``."""
    roles = {name: model.role for name, model in settings.models.items()}
    parameters = {name: model.parameters for name, model in settings.models.items()}
    usable = unselected(outcomes)
    asked = asked_of(usable, roles)
    tried = [one for one in asked if all(one.index(route) is not None for route in frame)]
    if len(tried) < _FEWEST:
        raise TooFewOutcomes(
            f"only {len(tried)} questions were tried on all of {', '.join(frame)}, and {_FEWEST} are needed; "
            "collect more with `tandem bench collect`"
        )
    common = set.intersection(*({attempt.route for attempt in one.attempts} for one in tried))
    routes = tuple(sorted(route for route in common if all(one.index(route) is not None for one in tried)))
    wanted = {one.id for one in tried}
    own = [outcome for outcome in usable if outcome.id in wanted]
    table = table_of(own, await embedder.embed(texts_of(own)), roles, parameters).only(routes)
    by_id = {one.id: one for one in tried}
    return RoutingData(tuple(asked), tuple(by_id[id] for id in table.ids), routes, table, parameters)
