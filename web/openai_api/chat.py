"""``POST /v1/chat/completions`` and ``POST /v1/route``."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from web.doors import Doors, doors_of, identify
from web.identity import Identity
from web.json_reading import read_object
from web.openai_api.body import ChatCall, chat_call
from web.openai_api.completion import complete
from web.openai_api.fields import ChatFields
from web.openai_api.stream import ChatStream

router = APIRouter()


def documented_body() -> dict[str, Any]:
    """The request body for the API's description; it is read by hand, so that errors have OpenAI's shape."""
    schema = ChatFields.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def read_call(doors: Doors, request: Request, who: Identity) -> ChatCall:
    """The validated body. Raises ``ApiError``."""
    call = chat_call(await read_object(request, doors.settings.gateway.body_bytes), who.owner)
    if doors.settings.gateway.log_messages:
        messages = [message.openai() for message in call.request.messages]
        doors.log.info("messages", request_id=request.state.request_id, messages=messages)
    return call


@router.post("/v1/chat/completions", openapi_extra=documented_body(), response_model=None)
async def chat_completions(request: Request) -> Response:
    """An answer in OpenAI's shape, streamed or whole."""
    doors = doors_of(request)
    who = await identify(request)
    call = await read_call(doors, request, who)
    flights = await doors.flights.start(who, call.requests())
    if call.stream:
        return ChatStream(doors, who, call, flights)
    return await complete(doors, request, who, flights)


@router.post("/v1/route", openapi_extra=documented_body(), response_model=None)
async def route(request: Request) -> dict[str, Any]:
    """The route that a request would take, the ones considered and why; nothing is run."""
    doors = doors_of(request)
    who = await identify(request)
    call = await read_call(doors, request, who)
    await doors.limits.take(who)
    decision = await doors.runs.decide(call.request)
    considered = [{"name": estimate.route.name, **estimate.model_dump(mode="json")} for estimate in decision.considered]
    return {
        "object": "route",
        "name": decision.route.name,
        "route": decision.route.model_dump(mode="json"),
        "reason": decision.reason,
        "considered": considered,
    }
