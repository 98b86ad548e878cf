"""``/v1/playbook``: what the service has learned for the caller, with its evidence."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter
from pydantic import ValidationError
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from orchestrator.playbook.entry import KINDS, STATUSES, Entry, Kind, Status, UnknownEntry
from orchestrator.playbook.jsonl import line_of
from orchestrator.playbook.protocol import Playbook
from web.doors import Doors, doors_of, identify
from web.errors import ApiError, invalid, shown
from web.json_reading import read_object
from web.native_api.paging import page_size
from web.openai_api.faults import fault
from web.openai_api.fields import Fields

router = APIRouter()
_PAGE = 50
_BODY_BYTES = 4096
_SEARCH_CHARACTERS = 2000
_CURSOR_CHARACTERS = 200
_Result = TypeVar("_Result")
_Name = TypeVar("_Name", bound=str)


class _ChangeFields(Fields):
    pinned: bool | None = None
    disabled: bool | None = None


@router.get("/v1/playbook")
async def listing(request: Request) -> dict[str, Any]:
    """The caller's entries, the most valuable first; with ``search``, those about the most similar problems.
    ``after`` is the ``next`` of the last page."""
    who = await identify(request)
    playbook = _playbook(doors_of(request))
    limit = page_size(request, _PAGE)
    kind: Kind | None = _one_of(request, "kind", KINDS)
    status: Status | None = _one_of(request, "status", STATUSES)
    search = request.query_params.get("search", "").strip()[:_SEARCH_CHARACTERS]
    if search:
        statuses = () if status is None else (status,)
        found = await _there(playbook.search(who.owner, search, kind=kind, statuses=statuses, count=limit))
        return {"data": [{**view(item.entry), "similarity": item.similarity} for item in found], "next": None}
    after = request.query_params.get("after")
    if after is not None and not 0 < len(after) <= _CURSOR_CHARACTERS:
        raise _bad_cursor(after)
    try:
        page = await _there(playbook.entries(who.owner, kind=kind, status=status, limit=limit, after=after))
    except UnknownEntry as error:
        raise _bad_cursor(after) from error
    return {"data": [view(entry) for entry in page.entries], "next": page.after}


@router.get("/v1/playbook/export", response_model=None)
async def export(request: Request) -> Response:
    """Every entry of the caller's, one JSON object a line: what ``tandem playbook import`` reads."""
    who = await identify(request)
    playbook = _playbook(doors_of(request))
    lines = _lines(playbook.export(who.owner))
    # The first is asked for here, so that a Redis that is away is a 503 and not a file that breaks off.
    first = await _there(anext(lines, b""))
    headers = {"content-disposition": 'attachment; filename="playbook.jsonl"', "x-content-type-options": "nosniff"}
    return StreamingResponse(_chained(first, lines), headers=headers, media_type="application/jsonl")


@router.get("/v1/playbook/{entry}")
async def read(request: Request, entry: str) -> dict[str, Any]:
    """One entry."""
    who = await identify(request)
    playbook = _playbook(doors_of(request))
    return view(await _there(playbook.get(who.owner, entry)))


@router.patch("/v1/playbook/{entry}")
async def change(request: Request, entry: str) -> dict[str, Any]:
    """Pin it, so that it stays whatever else is learned, or disable it, so that it is not used. Enabled again it is a
    candidate that has to prove itself anew."""
    who = await identify(request)
    playbook = _playbook(doors_of(request))
    try:
        fields = _ChangeFields.model_validate(await read_object(request, _BODY_BYTES))
    except ValidationError as error:
        raise fault(error) from error
    if fields.pinned is None and fields.disabled is None:
        raise invalid("nothing to change: send 'pinned' or 'disabled', true or false", "pinned")
    changed = await _there(playbook.get(who.owner, entry))
    if fields.disabled is not None and fields.disabled != (changed.status == "disabled"):
        status: Status = "disabled" if fields.disabled else "candidate"
        changed = await _there(playbook.set_status(who.owner, entry, status))
    if fields.pinned is not None and fields.pinned != changed.pinned:
        changed = await _there(playbook.pin(who.owner, entry, fields.pinned))
    return view(changed)


@router.delete("/v1/playbook/{entry}", status_code=204, response_model=None)
async def delete(request: Request, entry: str) -> Response:
    """Forget an entry with its evidence."""
    who = await identify(request)
    await _there(_playbook(doors_of(request)).delete(who.owner, entry))
    return Response(status_code=204)


def view(entry: Entry) -> dict[str, Any]:
    """An entry as doors show it: its sums as means too, in words that need no knowledge of how it is stored."""
    trials, compared = entry.trials, entry.evidence.compared
    return {
        **entry.model_dump(mode="json", exclude={"owner", "evidence"}),
        "object": "playbook.entry",
        "disabled": entry.status == "disabled",
        "win_rate": round(entry.win_rate, 4),
        "tokens_per_trial": round(entry.tokens / trials, 1) if trials else None,
        "cost_per_trial": round(entry.cost / trials, 2) if trials else None,
        "compared": compared,
        "gain": round(entry.evidence.edge / compared, 4) if compared else None,
    }


async def answer_unknown_entry(_request: Request, error: Exception) -> Response:
    message = f"you have no playbook entry {shown(str(error))}; GET /v1/playbook lists those you have"
    return ApiError(404, message, param="entry", code="entry_not_found").response()


def _playbook(doors: Doors) -> Playbook:
    if doors.playbook is None:
        message = "this server keeps no playbook; turn it on with [playbook] enabled = true in tandem.toml"
        raise ApiError(404, message, code="no_playbook")
    return doors.playbook


async def _there(work: Awaitable[_Result]) -> _Result:
    """What the playbook says. Raises ``ApiError`` 503 while its Redis is away."""
    try:
        return await work
    except RedisError as error:
        message = "the playbook cannot be reached while its Redis is away; requests are answered without it. Try again"
        raise ApiError(
            503, message, kind="server_error", code="playbook_unavailable", headers={"retry-after": "5"}
        ) from error


def _one_of(request: Request, name: str, allowed: Sequence[_Name]) -> _Name | None:
    given = request.query_params.get(name)
    if given is None:
        return None
    for known in allowed:
        if given == known:
            return known
    raise invalid(f"'{name}' cannot be {shown(given)}: it is one of {', '.join(allowed)}", name)


def _bad_cursor(after: str | None) -> ApiError:
    return invalid(f"'after' cannot be {shown(after)}: send the 'next' of the page before, or leave it out", "after")


async def _lines(entries: AsyncIterator[Entry]) -> AsyncIterator[bytes]:
    async for entry in entries:
        yield line_of(entry).encode()


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for line in rest:
        yield line
