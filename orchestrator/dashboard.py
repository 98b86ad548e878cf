"""How the service does, counted from an owner's runs."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from orchestrator.settings import ModelSettings
from orchestrator.storage.records import RunFigures

# A prompt token is read with its neighbours at once; a written one has the model to itself.
_PROMPT_WEIGHT = 0.1


class Day(BaseModel):
    """``cost`` is the mean per run, in tokens of the large model. ``accepted`` counts the runs whose answer a verifier
    stood behind; tokens are those that were written."""

    day: str
    runs: int
    seconds_p50: float | None
    seconds_p95: float | None
    cost: float | None
    large_tokens: int
    small_tokens: int
    accepted: int
    feedback_up: int
    feedback_down: int


class RouteFigures(BaseModel):
    """``supported`` is the share of the route's checked answers that a verifier stood behind."""

    route: str
    runs: int
    share: float
    seconds_p50: float | None
    cost: float | None
    supported: float | None
    up: int
    down: int


class Counts(BaseModel):
    runs: int
    days: list[Day]
    routes: list[RouteFigures]


def count(runs: Sequence[RunFigures], models: Mapping[str, ModelSettings], days: int, now: float) -> Counts:
    """Figures of the ``days`` days (UTC) up to ``now``, days without a run included; routes, the most taken first."""
    by_day: dict[str, list[RunFigures]] = defaultdict(list)
    by_route: dict[str, list[RunFigures]] = defaultdict(list)
    for run in runs:
        by_day[_day(run.created)].append(run)
        if run.route is not None:
            by_route[run.route].append(run)
    today = datetime.fromtimestamp(now, UTC).date()
    names = [(today - timedelta(days=back)).isoformat() for back in reversed(range(days))]
    routed = sum(map(len, by_route.values()))
    routes = [_route(route, taken, routed, models) for route, taken in by_route.items()]
    return Counts(
        runs=sum(len(by_day.get(name, ())) for name in names),
        days=[_of_day(name, by_day.get(name, []), models) for name in names],
        routes=sorted(routes, key=lambda route: (-route.runs, route.route)),
    )


def first_moment(days: int, now: float) -> float:
    """When the first of ``days`` days up to ``now`` began, in Unix seconds."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - timedelta(days=days - 1)).timestamp()


def _of_day(day: str, runs: Sequence[RunFigures], models: Mapping[str, ModelSettings]) -> Day:
    seconds = _seconds(runs)
    return Day(
        day=day,
        runs=len(runs),
        seconds_p50=_quantile(seconds, 0.5),
        seconds_p95=_quantile(seconds, 0.95),
        cost=_cost(runs, models),
        large_tokens=_written(runs, models, "large"),
        small_tokens=_written(runs, models, "small"),
        accepted=sum(run.supported is True for run in runs),
        feedback_up=sum(run.rating == 1 for run in runs),
        feedback_down=sum(run.rating == -1 for run in runs),
    )


def _route(route: str, runs: Sequence[RunFigures], routed: int, models: Mapping[str, ModelSettings]) -> RouteFigures:
    checked = [run.supported for run in runs if run.supported is not None]
    return RouteFigures(
        route=route,
        runs=len(runs),
        share=len(runs) / routed,
        seconds_p50=_quantile(_seconds(runs), 0.5),
        cost=_cost(runs, models),
        supported=sum(checked) / len(checked) if checked else None,
        up=sum(run.rating == 1 for run in runs),
        down=sum(run.rating == -1 for run in runs),
    )


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _seconds(runs: Iterable[RunFigures]) -> list[float]:
    return sorted(run.ledger.seconds for run in runs if run.ledger is not None)


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least ``share`` of the values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _cost(runs: Iterable[RunFigures], models: Mapping[str, ModelSettings]) -> float | None:
    large = next(model.parameters for model in models.values() if model.role == "large")
    costs = [
        sum(
            (usage.prompt * _PROMPT_WEIGHT + usage.completion) * models[name].parameters / large
            for name, usage in run.ledger.tokens.items()
            if name in models
        )
        for run in runs
        if run.ledger is not None
    ]
    return sum(costs) / len(costs) if costs else None


def _written(runs: Iterable[RunFigures], models: Mapping[str, ModelSettings], role: str) -> int:
    return sum(
        usage.completion
        for run in runs
        if run.ledger is not None
        for name, usage in run.ledger.tokens.items()
        if name in models and models[name].role == role
    )
