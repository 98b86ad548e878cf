"""``POST /v1/runs/{id}/feedback``: what the owner thinks of an answer."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field, ValidationError
from starlette.requests import Request

from orchestrator.storage.records import Feedback
from web.doors import doors_of, identify
from web.json_reading import read_object
from web.openai_api.faults import fault
from web.openai_api.fields import Fields

router = APIRouter()
_BODY_BYTES = 64 * 1024
_REASON_CHARACTERS = 4000


class _FeedbackFields(Fields):
    rating: Literal[1, -1, 0]
    reason: str | None = Field(None, max_length=_REASON_CHARACTERS)


@router.post("/v1/runs/{run}/feedback")
async def rate(request: Request, run: str) -> dict[str, Any]:
    """Store a rating, 1 or -1, with an optional reason, in place of an earlier one; 0 takes it back."""
    who = await identify(request)
    doors = doors_of(request)
    try:
        fields = _FeedbackFields.model_validate(await read_object(request, _BODY_BYTES))
    except ValidationError as error:
        raise fault(error) from error
    await doors.runs.get(run, who.owner)
    if fields.rating == 0:
        await doors.database.remove_feedback(run, who.owner)
        doors.teacher.ended(run, who.owner)
        return {"run": run, "feedback": None}
    feedback = Feedback(rating=fields.rating, reason=(fields.reason or "").strip() or None)
    await doors.database.save_feedback(run, who.owner, feedback)
    doors.teacher.ended(run, who.owner)
    return {"run": run, "feedback": feedback.model_dump()}
