"""Errors in the shape OpenAI's clients read: ``{"error": {message, type, param, code}}``."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from agents.events import RunFinished
from orchestrator.conversations import UnknownTurn
from orchestrator.runs import Busy, RunRefused, UnknownRun
from orchestrator.storage.conversation_store import UnknownConversation

_SHOWN = 80
_NOT_FOUND_CODES = frozenset({"model_not_found"})
_RUN_STATUS = {
    "engine_unavailable": 503,
    "gateway_stopped": 503,
    "engine_error": 502,
    "busy": 429,
    "context_length_exceeded": 400,
    "unsupported_value": 400,
}
_BUSY_SECONDS = 10


class ApiError(Exception):
    """An answer that is not a success. ``param`` names the field at fault, ``code`` is for programs."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return orjson.dumps({"error": error})

    def response(self) -> Response:
        return Response(self.body(), self.status, self.headers, "application/json")


def invalid(message: str, param: str | None, code: str = "invalid_value") -> ApiError:
    return ApiError(400, message, param=param, code=code)


def shown(value: Any) -> str:
    """A value as an error message quotes it: as JSON, on one line, not longer than 80 characters."""
    # Values that JSON cannot hold come only from query parameters; their repr is as good.
    text = orjson.dumps(value, default=repr).decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def too_many(message: str, retry_after: int) -> ApiError:
    """``retry_after`` in seconds."""
    return ApiError(
        429, message, kind="rate_limit_error", code="rate_limit_exceeded", headers={"retry-after": str(retry_after)}
    )


def internal(request_id: str) -> ApiError:
    return ApiError(
        500,
        f"an internal error ended request {request_id}; the gateway's log has its details under that id",
        kind="server_error",
        code="internal_error",
    )


def from_runs(error: RunRefused | UnknownRun | Busy) -> ApiError:
    """What the controller's refusals are on the wire."""
    if isinstance(error, RunRefused):
        status = 404 if error.code in _NOT_FOUND_CODES else 400
        return ApiError(status, str(error), param=error.parameter, code=error.code or "invalid_value")
    if isinstance(error, Busy):
        return too_many(str(error), error.retry_after)
    return unknown_run(str(error))


def unknown_run(run: str) -> ApiError:
    message = f"you have no run {shown(run)}; GET /v1/runs lists those you have"
    return ApiError(404, message, param="id", code="run_not_found")


def failed_run(run: str, finished: RunFinished) -> ApiError:
    """A run that ended with status error."""
    status = _RUN_STATUS.get(finished.error_type or "", 500)
    message = f"run {run}: {finished.error or 'the run failed; the gateway log has its details under its id'}"
    if status == 429:
        return too_many(message, _BUSY_SECONDS)
    kind = "invalid_request_error" if status == 400 else "server_error"
    return ApiError(status, message, kind=kind, code=finished.error_type or "internal_error")


async def answer_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def answer_run_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RunRefused | UnknownRun | Busy)
    return from_runs(error).response()


async def answer_unknown(_request: Request, error: Exception) -> Response:
    """What is not there, or not the caller's."""
    assert isinstance(error, UnknownConversation | UnknownTurn)
    kind = "conversation" if isinstance(error, UnknownConversation) else "turn"
    return ApiError(404, str(error), param=kind, code=f"{kind}_not_found").response()


async def answer_http_error(request: Request, error: Exception) -> Response:
    """What the router raises itself: no such path, no such method."""
    status = getattr(error, "status_code", 500)
    path = shown(request.url.path)
    headers = dict(getattr(error, "headers", None) or {})
    if status == 404:
        found = ApiError(404, f"there is nothing at {path}; see /docs for what there is", code="not_found")
    elif status == 405:
        allowed = headers.get("allow") or headers.get("Allow", "another method")
        message = f"{request.method} is not possible at {path}; use {allowed}"
        found = ApiError(405, message, code="method_not_allowed", headers=headers)
    else:
        found = ApiError(status, str(getattr(error, "detail", error)), headers=headers)
    return found.response()
