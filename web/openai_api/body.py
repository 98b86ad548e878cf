"""From a request body to a ``RunRequest``, or to the error that says what is wrong with it."""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from orchestrator.runs import RunRequest
from web.errors import ApiError, invalid, shown
from web.openai_api.faults import fault
from web.openai_api.fields import ChatFields, ResponseFormatFields
from web.openai_api.message_content import messages_of
from workers.ledger import Budget

_MAX_STOPS = 16
_MAX_STOP_LENGTH = 512
# Engines take 32 bits, and llama.cpp reads the highest value as "draw one".
_SEEDS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A validated request: the run it asks for, ``n`` times, and how the answer is to be sent."""

    request: RunRequest
    n: int
    stream: bool
    include_usage: bool

    def requests(self) -> list[RunRequest]:
        """One request per choice; a given seed counts up, else all choices would be the same."""
        seed = self.request.seed
        if self.n == 1 or seed is None:
            return [self.request] * self.n
        return [self.request.model_copy(update={"seed": (seed + index) % _SEEDS}) for index in range(self.n)]


def chat_call(value: dict[str, Any], owner: str) -> ChatCall:
    """Validate a body. Raises ``ApiError``."""
    try:
        fields = ChatFields.model_validate(value)
    except ValidationError as error:
        raise fault(error) from error
    options = fields.stream_options
    if options is not None and not fields.stream:
        raise invalid("'stream_options' is only for streams; leave it out or set 'stream' to true", "stream_options")
    return ChatCall(
        request=_run_request(fields, owner),
        n=fields.n or 1,
        stream=bool(fields.stream),
        include_usage=bool(options and options.include_usage),
    )


def _run_request(fields: ChatFields, owner: str) -> RunRequest:
    own = fields.tandem
    budget = own.budget if own else None
    tools = tuple(tool.model_dump(exclude_none=True) for tool in fields.tools or ())
    return RunRequest(
        owner=owner,
        model=fields.model,
        messages=messages_of(fields.messages),
        effort=(own.effort if own else None) or fields.reasoning_effort,
        budget=None if budget is None else Budget(**budget.model_dump()),
        strategy=own.strategy if own else None,
        thread=own.thread_id if own else None,
        temperature=fields.temperature,
        top_p=fields.top_p,
        max_completion_tokens=fields.max_completion_tokens or fields.max_tokens,
        seed=None if fields.seed is None else fields.seed % _SEEDS,
        stop=_stops(fields.stop),
        json_schema=_schema(fields.response_format),
        tools=tools,
        options=(own.options if own else None) or {},
        max_risk=own.max_risk if own else None,
        # Several choices are several answers, not one of them several times.
        fresh=bool(own and own.fresh) or (fields.n or 1) > 1,
        tool_choice=_tool_choice(fields.tool_choice, {tool["function"]["name"] for tool in tools}),
    )


def _stops(stop: Any) -> tuple[str, ...]:
    if stop is None:
        return ()
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(item, str) for item in stops):
        raise invalid(
            f"'stop' must be a string or an array of strings, but it is {shown(stop)}", "stop", "invalid_type"
        )
    if len(stops) > _MAX_STOPS or not all(0 < len(item) <= _MAX_STOP_LENGTH for item in stops):
        raise invalid(
            f"'stop' cannot be {shown(stop)}: give at most {_MAX_STOPS} strings of 1 to {_MAX_STOP_LENGTH} characters",
            "stop",
        )
    return tuple(stops)


def _schema(response_format: ResponseFormatFields | None) -> dict[str, Any] | None:
    if response_format is None or response_format.type == "text":
        return None
    if response_format.type == "json_object":
        return {"type": "object"}
    if response_format.json_schema is None:
        raise invalid(
            '\'response_format.json_schema\' is missing; add {"name": …, "schema": …}',
            "response_format.json_schema",
            "missing_required_parameter",
        )
    return response_format.json_schema.schema_ or {"type": "object"}


def _tool_choice(choice: Any, names: set[str]) -> str | dict[str, Any] | None:
    if choice is None:
        return None
    if not names and choice not in ("none", "auto"):
        raise invalid("'tool_choice' needs 'tools'; add them or leave it out", "tool_choice")
    if not names:
        return None
    if choice in ("none", "auto", "required"):
        return str(choice)
    if isinstance(choice, dict) and choice.get("type") == "function" and isinstance(choice.get("function"), dict):
        name = choice["function"].get("name")
        if name in names:
            return {"type": "function", "function": {"name": name}}
        known = ", ".join(sorted(names))
        raise invalid(f"'tool_choice' names {shown(name)}, which is not among the tools: {known}", "tool_choice")
    raise _bad_choice(choice)


def _bad_choice(choice: Any) -> ApiError:
    return invalid(
        f'\'tool_choice\' cannot be {shown(choice)}: use "none", "auto", "required" or '
        '{"type": "function", "function": {"name": …}}',
        "tool_choice",
    )
