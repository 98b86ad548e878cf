"""From a validation fault to one sentence: which field, which value, what to do."""

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from web.errors import ApiError, invalid, shown
from web.openai_api.fields import ChatFields, TandemFields

_TYPE_FAULTS = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_NOT_HERE = {
    "functions": "describe the functions under 'tools' instead",
    "function_call": "use 'tools' and 'tool_choice' instead",
    "audio": "Tandem takes and gives text only; leave it out",
    "web_search_options": "Tandem does not search the web for this endpoint; leave it out",
    "logprobs": "Tandem does not report log-probabilities; leave it out",
    "top_logprobs": "Tandem does not report log-probabilities; leave it out",
    "frequency_penalty": "no model here takes a penalty; leave it out or send 0",
    "presence_penalty": "no model here takes a penalty; leave it out or send 0",
    "logit_bias": "no model here takes a bias; leave it out",
    "modalities": 'Tandem answers in text only; leave it out or send ["text"]',
}


def path_of(location: Sequence[int | str]) -> str:
    """``("messages", 0, "role")`` as ``messages[0].role``."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def fault(error: ValidationError) -> ApiError:
    """The first fault of a request body, as the caller reads it."""
    found = error.errors(include_url=False)[0]
    location = found["loc"]
    path, kind, value = path_of(location), found["type"], found.get("input")
    if kind == "extra_forbidden":
        return invalid(_unknown(location, path), path, "unknown_parameter")
    if kind == "missing":
        return invalid(f"'{path}' is missing; add it", path, "missing_required_parameter")
    name = str(location[0])
    if name in _NOT_HERE:
        return invalid(f"'{path}' cannot be {shown(value)}: {_NOT_HERE[name]}", path, "unsupported_value")
    if kind in _TYPE_FAULTS:
        return invalid(f"'{path}' must be {_TYPE_FAULTS[kind]}, but it is {shown(value)}", path, "invalid_type")
    return invalid(f"'{path}' cannot be {shown(value)}: {_reason(found)}", path, "invalid_value")


def _reason(found: ErrorDetails) -> str:
    message = found["msg"]
    for shape, plain in (("Input should", "it should"), ("String should", "the string should")):
        message = message.replace(shape, plain)
    return message[:1].lower() + message[1:]


def _unknown(location: tuple[Any, ...], path: str) -> str:
    name = str(location[-1])
    if len(location) == 1 and name in TandemFields.model_fields:
        return f"there is no parameter '{path}' here; it goes into the object 'tandem'"
    known = list(ChatFields.model_fields) if len(location) == 1 else []
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "leave it out"
    return f"there is no parameter {shown(path)}; {hint}"
