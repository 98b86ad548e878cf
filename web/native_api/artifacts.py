"""``GET /v1/runs/{id}/artifacts/{name}``: a file that a run's program wrote."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.storage.artifacts import UnknownArtifact
from web.doors import doors_of, identify
from web.errors import ApiError

router = APIRouter()
_SHOWN_IN_PLACE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"})


@router.get("/v1/runs/{run}/artifacts/{name}", response_model=None)
async def artifact(request: Request, run: str, name: str) -> Response:
    """The file. A program that a model wrote made it: a browser shows pictures, and saves everything else."""
    who = await identify(request)
    doors = doors_of(request)
    await doors.runs.get(run, who.owner)
    try:
        found, data = await doors.artifacts.get(run, name)
    except UnknownArtifact as error:
        raise ApiError(404, str(error), param="name", code="artifact_not_found") from error
    disposition = "inline" if found.media_type in _SHOWN_IN_PLACE else "attachment"
    headers = {
        "content-type": found.media_type + ("; charset=utf-8" if found.media_type.startswith("text/") else ""),
        # The store admits no name that would need quoting.
        "content-disposition": f'{disposition}; filename="{found.name}"',
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, max-age=3600",
    }
    return Response(data, headers=headers)
