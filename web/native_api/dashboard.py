"""``GET /v1/dashboard``: how the service does, for the caller's own runs."""

import asyncio
import time
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import orjson
from fastapi import APIRouter
from redis.exceptions import RedisError
from starlette.requests import Request

from orchestrator.dashboard import Counts, count, first_moment
from orchestrator.storage.records import RunFigures
from web.doors import Doors, doors_of, identify
from web.errors import invalid, shown

router = APIRouter()
_DAYS = 30
_MOST_DAYS = 366
_MOST_RUNS = 50_000
_POINT = ("system", "setting", "dataset", "n", "accuracy", "ci95", "cost")


@router.get("/v1/dashboard")
async def dashboard(request: Request) -> dict[str, Any]:
    """Runs, time, cost, verdicts and feedback by day and by route, and the last benchmarks' frontier."""
    who = await identify(request)
    doors = doors_of(request)
    days = _days(request.query_params.get("days"))
    now = time.time()
    runs = await doors.database.list_figures(who.owner, first_moment(days, now), _MOST_RUNS)
    counts = await asyncio.to_thread(_count, doors, runs, days, now)
    frontier = await asyncio.to_thread(measured, files("bench") / "results")
    return {
        **counts.model_dump(),
        "frontier": frontier,
        "cache": await _cache(doors, who.owner, days),
        "playbook": await _playbook(doors, who.owner),
    }


async def _cache(doors: Doors, owner: str, days: int) -> dict[str, Any] | None:
    """What the answer cache did; None where it is off or Redis is away."""
    if doors.answers is None:
        return None
    try:
        return (await doors.answers.figures(owner, days)).model_dump()
    except RedisError as error:
        doors.log.warning("the answer cache cannot be counted", error=str(error))
        return None


async def _playbook(doors: Doors, owner: str) -> dict[str, int] | None:
    """How many entries of which kind are in which state; None where no playbook is kept or Redis is away."""
    if doors.playbook is None:
        return None
    try:
        counts = await doors.playbook.counts(owner)
    except RedisError as error:
        doors.log.warning("the playbook cannot be counted", error=str(error))
        return None
    return {f"{kind}s_{status}": number for kind, of_kind in counts.items() for status, number in of_kind.items()}


def measured(results: Traversable) -> list[dict[str, Any]]:
    """The points of accuracy against cost that the benchmarks' result files in ``results`` hold."""
    if not results.is_dir():
        return []
    found = sorted((entry for entry in results.iterdir() if entry.name.endswith(".json")), key=lambda entry: entry.name)
    return [point for entry in found for point in _points(orjson.loads(entry.read_bytes()))]


def _points(result: dict[str, Any]) -> list[dict[str, Any]]:
    placed = ("accuracy", "cost", "n")
    rows = [row for row in result.get("rows", ()) if all(row.get(name) is not None for name in placed)]
    return [{"bench": result["bench"], **{name: row.get(name) for name in _POINT}} for row in rows]


def _count(doors: Doors, runs: list[RunFigures], days: int, now: float) -> Counts:
    return count(runs, doors.settings.models, days, now)


def _days(given: str | None) -> int:
    if given is None:
        return _DAYS
    if not given.isascii() or not given.isdigit() or len(given) > 3 or not 1 <= int(given) <= _MOST_DAYS:
        raise invalid(f"'days' cannot be {shown(given)}: it is a number from 1 to {_MOST_DAYS}", "days")
    return int(given)
