"""``GET /v1/models``: the names that ``model`` may hold."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from orchestrator.runs import ModelOffer
from web.doors import doors_of, identify
from web.errors import ApiError, shown

router = APIRouter()


@router.get("/v1/models")
async def models(request: Request) -> dict[str, Any]:
    """Virtual models, strategies and configured models."""
    await identify(request)
    doors = doors_of(request)
    started = int(request.app.state.started)
    return {"object": "list", "data": [_model(offer, started) for offer in doors.runs.offers()]}


@router.get("/v1/models/{name:path}")
async def model(request: Request, name: str) -> dict[str, Any]:
    """One of them."""
    await identify(request)
    offers = doors_of(request).runs.offers()
    for offer in offers:
        if offer.name == name:
            return _model(offer, int(request.app.state.started))
    known = ", ".join(offer.name for offer in offers)
    raise ApiError(404, f"there is no model {shown(name)}; known: {known}", param="model", code="model_not_found")


def _model(offer: ModelOffer, created: int) -> dict[str, Any]:
    return {
        "id": offer.name,
        "object": "model",
        "created": created,
        "owned_by": "tandem",
        "kind": offer.kind,
        "description": offer.description,
    }
