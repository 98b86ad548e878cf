"""``/v1/conversations``: the chat's conversations, whose answers are runs."""

from typing import Any, TypeVar

from fastapi import APIRouter
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from orchestrator.conversations import Prepared, Turn
from orchestrator.storage.conversation_store import BadCursor
from orchestrator.storage.records import Conversation, TurnSettings
from routers.route import Effort
from web.doors import Doors, doors_of, identify
from web.errors import invalid, shown
from web.identity import Identity
from web.json_reading import read_object
from web.native_api.exports import export_json, export_markdown
from web.native_api.paging import page_size
from web.openai_api.faults import fault
from web.openai_api.fields import BudgetFields, Fields

router = APIRouter()
_PAGE = 30
_Body = TypeVar("_Body", bound=Fields)
_SEARCH_CHARACTERS = 200
_TITLE_CHARACTERS = 200


class _TitleFields(Fields):
    title: str = Field(min_length=1, max_length=_TITLE_CHARACTERS)


class _NewFields(Fields):
    title: str = Field("", max_length=_TITLE_CHARACTERS)


class _AnswerFields(Fields):
    model: str | None = Field(None, min_length=1, max_length=200)
    strategy: str | None = Field(None, min_length=1, max_length=64)
    reasoning_effort: Effort | None = None
    budget: BudgetFields | None = None

    def settings(self) -> TurnSettings:
        budget = None if self.budget is None else self.budget.model_dump(exclude_none=True) or None
        return TurnSettings(
            model=self.model, strategy=self.strategy, reasoning_effort=self.reasoning_effort, budget=budget
        )


class _QuestionFields(_AnswerFields):
    parent: str | None = Field(None, max_length=64)
    content: str = Field(min_length=1)


@router.get("/v1/conversations")
async def listing(request: Request) -> dict[str, Any]:
    """The caller's conversations, the one with the latest turn first; ``before`` is the ``next`` of the last page."""
    who = await identify(request)
    limit = page_size(request, _PAGE)
    search = request.query_params.get("search", "").strip()[:_SEARCH_CHARACTERS]
    before = request.query_params.get("before")
    try:
        page, following = await doors_of(request).database.list_conversations(who.owner, limit, search, before)
    except BadCursor as error:
        message = f"'before' cannot be {shown(before)}: send the 'next' of the page before, or leave it out"
        raise invalid(message, "before") from error
    return {"data": [_head(conversation) for conversation in page], "next": following}


@router.post("/v1/conversations", status_code=201)
async def create(request: Request) -> dict[str, Any]:
    """A conversation without turns; without a title it takes that of its first question."""
    doors, who, fields = await _read(request, _NewFields)
    return _head(await doors.database.create_conversation(who.owner, fields.title.strip()))


@router.get("/v1/conversations/{conversation}")
async def read(request: Request, conversation: str) -> dict[str, Any]:
    """The conversation with all branches."""
    who = await identify(request)
    head, turns = await doors_of(request).conversations.read(conversation, who.owner)
    return _whole(head, turns)


@router.patch("/v1/conversations/{conversation}")
async def rename(request: Request, conversation: str) -> dict[str, Any]:
    """Give it another title."""
    doors, who, fields = await _read(request, _TitleFields)
    title = fields.title.strip()
    if not title:
        raise invalid(f"'title' cannot be {shown(fields.title)}: it needs a visible character", "title")
    return _head(await doors.database.rename_conversation(conversation, who.owner, title))


@router.delete("/v1/conversations/{conversation}", status_code=204, response_model=None)
async def delete(request: Request, conversation: str) -> Response:
    """Forget it, with its runs; what is under way is stopped."""
    who = await identify(request)
    await doors_of(request).conversations.delete(conversation, who.owner)
    return Response(status_code=204)


@router.get("/v1/conversations/{conversation}/export", response_model=None)
async def export(request: Request, conversation: str) -> Response:
    """A file to keep: ``format=json`` with all branches, or ``format=markdown`` with the latest one."""
    who = await identify(request)
    shape = request.query_params.get("format", "json")
    if shape not in ("json", "markdown"):
        raise invalid(f"'format' cannot be {shown(shape)}: it is json or markdown", "format")
    head, turns = await doors_of(request).conversations.read(conversation, who.owner)
    return export_json(head, _whole(head, turns)) if shape == "json" else export_markdown(head, turns)


@router.post("/v1/conversations/{conversation}/turns", status_code=201)
async def ask(request: Request, conversation: str) -> dict[str, Any]:
    """Ask: starts a run over the branch that ends with ``parent`` and the question."""
    doors, who, fields = await _read(request, _QuestionFields)
    prepared = await doors.conversations.question(
        conversation, who.owner, fields.parent, fields.content, fields.settings()
    )
    question, answer = await _start(doors, who, prepared)
    return {"user": question.model_dump(), "assistant": answer.model_dump()}


@router.post("/v1/conversations/{conversation}/turns/{turn}/answers", status_code=201)
async def answer_again(request: Request, conversation: str, turn: str) -> dict[str, Any]:
    """Answer a question once more, perhaps on another route: a branch beside the answers it has."""
    doors, who, fields = await _read(request, _AnswerFields)
    prepared = await doors.conversations.once_more(conversation, who.owner, turn, fields.settings())
    [answer] = await _start(doors, who, prepared)
    return {"assistant": answer.model_dump()}


async def _start(doors: Doors, who: Identity, prepared: Prepared) -> list[Turn]:
    [flight] = await doors.flights.start(who, [prepared.request])
    try:
        turns = await doors.conversations.began(prepared, flight.run)
    except BaseException:  # also where the client is gone: nobody would ever find this run's answer
        await doors.flights.abandon(flight)
        raise
    doors.flights.follow(flight)
    return turns


async def _read(request: Request, kind: type[_Body]) -> tuple[Doors, Identity, _Body]:
    who = await identify(request)
    doors = doors_of(request)
    try:
        return doors, who, kind.model_validate(await read_object(request, doors.settings.gateway.body_bytes))
    except ValidationError as error:
        raise fault(error) from error


def _head(conversation: Conversation) -> dict[str, Any]:
    return conversation.model_dump(exclude={"owner"})


def _whole(head: Conversation, turns: list[Turn]) -> dict[str, Any]:
    return {**_head(head), "turns": [turn.model_dump() for turn in turns]}
