"""``/v1/me`` and ``/v1/session``: who is asking, and logging a browser in with a key."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from orchestrator.runs import SINGLE_USER
from web.doors import doors_of, identify
from web.identity import SESSION_COOKIE, Identity, refuse_forgery
from web.json_reading import read_object
from web.openai_api.faults import fault
from web.openai_api.fields import Fields

router = APIRouter()
_BODY_BYTES = 4096
_SESSION_SECONDS = 30 * 86_400


class _LoginFields(Fields):
    key: str = Field(min_length=1, max_length=256)


@router.get("/v1/me")
async def me(request: Request) -> dict[str, Any]:
    """The caller, and what the caller may."""
    return _view(await identify(request))


@router.post("/v1/session", response_model=None)
async def log_in(request: Request) -> Response:
    """Log this browser in: the answer sets a cookie that stands for the key."""
    doors = doors_of(request)
    refuse_forgery(request)
    try:
        fields = _LoginFields.model_validate(await read_object(request, _BODY_BYTES))
    except ValidationError as error:
        raise fault(error) from error
    who = await doors.doorkeeper.holder(fields.key)
    request.state.owner = who.owner
    cookie = await doors.database.create_session(who.owner, _SESSION_SECONDS)
    response = JSONResponse(_view(who))
    response.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=_SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        # The gateway itself speaks HTTP; only the browser knows whether there is TLS in front of it.
        secure=request.headers.get("origin", "").startswith("https://"),
    )
    return response


@router.delete("/v1/session", response_model=None)
async def log_out(request: Request) -> Response:
    """End the browser's session; it is no error if there is none."""
    doors = doors_of(request)
    refuse_forgery(request)
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie:
        await doors.database.end_session(cookie)
        doors.doorkeeper.forget(cookie)
    response = Response(status_code=204)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response


def _view(who: Identity) -> dict[str, Any]:
    return {
        "owner": who.owner,
        "single_user": who.owner == SINGLE_USER,
        "may_see_reasoning": who.may_see_reasoning,
    }
