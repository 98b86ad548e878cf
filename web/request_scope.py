"""Around every request, as plain ASGI: an id, the metrics, the log line, and an answer for what nobody foresaw."""

import re
import time
import uuid

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from web.errors import internal
from web.metrics import Metrics

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CLIENT_GONE = 499


class RequestScope:
    """Streams pass through untouched; nothing is buffered."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = _CLIENT_GONE
        # Whatever was not foreseen must not reach the caller, and not end the service.
        except Exception as error:  # noqa: BLE001
            self._log.error("request failed", request_id=request_id, error=type(error).__name__, exc_info=True)
            if not status:
                await internal(request_id).response()(scope, receive, send_with_id)
        finally:
            self._account(scope, request_id, status or _CLIENT_GONE, time.monotonic() - started)

    def _account(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = _template(scope)
        self._metrics.request(route, scope["method"] if route != "unmatched" else "any", status)
        self._log.info(
            "request",
            request_id=request_id,
            method=scope["method"],
            route=route,
            status=status,
            seconds=round(seconds, 4),
            owner=scope["state"].get("owner"),
        )


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
    return given if _ID.fullmatch(given) else uuid.uuid4().hex


def _template(scope: Scope) -> str:
    """The path as it was declared: a label per id asked for would grow without end."""
    return getattr(scope.get("route"), "path", "unmatched")
