"""``/v1/runs``: start a run and come back for it."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from orchestrator.runs import RunRecord
from web.doors import doors_of, identify
from web.errors import invalid
from web.native_api.events import RunEvents, checked_after
from web.native_api.paging import page_size
from web.openai_api.chat import documented_body, read_call

router = APIRouter()
_PAGE = 20


@router.post("/v1/runs", status_code=202, openapi_extra=documented_body(), response_model=None)
async def start(request: Request) -> Response:
    """Start a run; the answer is its id, at once. It goes on whether or not anybody tails it."""
    doors = doors_of(request)
    who = await identify(request)
    call = await read_call(doors, request, who)
    if call.n > 1:
        raise invalid(
            f"'n' cannot be {call.n} here: a run is one answer; start {call.n} runs", "n", "unsupported_value"
        )
    [flight] = await doors.flights.start(who, call.requests())
    doors.flights.follow(flight)
    location = f"/v1/runs/{flight.run}"
    body = {"id": flight.run, "object": "run", "status": "running", "events": f"{location}/events"}
    return JSONResponse(body, 202, {"location": location, "x-tandem-run-id": flight.run})


@router.get("/v1/runs")
async def listing(request: Request) -> dict[str, Any]:
    """The caller's own runs, newest first; ``before`` is the id of the last run seen."""
    who = await identify(request)
    limit = page_size(request, _PAGE)
    found = await doors_of(request).database.list_runs(who.owner, limit + 1, request.query_params.get("before"))
    page = found[:limit]
    return {"object": "list", "data": [_view(record) for record in page], "has_more": len(found) > limit}


@router.get("/v1/runs/{run}")
async def read(request: Request, run: str) -> dict[str, Any]:
    """A run as it stands."""
    who = await identify(request)
    return _view(await doors_of(request).runs.get(run, who.owner))


@router.get("/v1/runs/{run}/events", response_model=None)
async def events(request: Request, run: str) -> Response:
    """The run's events from the beginning, or after the id in ``Last-Event-ID`` or ``?after=``."""
    who = await identify(request)
    doors = doors_of(request)
    after = checked_after(request.headers.get("last-event-id") or request.query_params.get("after"))
    record = await doors.runs.get(run, who.owner)
    return RunEvents(doors, who, record, after)


@router.post("/v1/runs/{run}/cancel")
async def cancel(request: Request, run: str) -> dict[str, Any]:
    """Abort a run; it is no error if it has ended already."""
    who = await identify(request)
    runs = doors_of(request).runs
    record = await runs.get(run, who.owner)
    if record.status == "running":
        await runs.cancel(run, who.owner)
    return {"id": run, "object": "run", "status": "cancelling" if record.status == "running" else record.status}


def _view(record: RunRecord) -> dict[str, Any]:
    body = record.model_dump(mode="json", exclude={"owner": True, "request": {"owner"}})
    return {**body, "object": "run"}
