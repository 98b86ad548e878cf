"""Is the process alive, are its parts there, what has it done."""

import asyncio
from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from web.doors import doors_of, identify
from web.identity import is_loopback

router = APIRouter()
_READY_SECONDS = 5.0


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers; that is all this says."""
    return {"status": "alive"}


@router.get("/readyz", response_model=None)
async def readyz(request: Request) -> Response:
    """200 if every part works, else 503 and which does not; why, is told to this machine only."""
    try:
        async with asyncio.timeout(_READY_SECONDS):
            parts = await doors_of(request).runs.ready()
    except TimeoutError:
        parts = {"gateway": f"the parts did not answer within {_READY_SECONDS:.0f} seconds"}
    ready = all(state == "ok" for state in parts.values())
    if not (request.client and is_loopback(request.client.host)):
        parts = {name: state if state == "ok" else "not ready" for name, state in parts.items()}
    body: dict[str, Any] = {"status": "ready" if ready else "not ready", "parts": parts}
    return JSONResponse(body, 200 if ready else 503)


@router.get("/metrics", response_model=None)
async def metrics(request: Request) -> Response:
    """Prometheus' text format. Needs a key as soon as there is one: numbers of use are not for everybody."""
    await identify(request)
    return Response(doors_of(request).metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
