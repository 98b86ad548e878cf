"""Read a request's JSON body: bounded while it arrives, and checked for what parsers let through."""

import asyncio
import email.message
import json
from typing import Any

import orjson
from starlette.requests import Request

from web.errors import ApiError, invalid, shown

_DEPTH = 64
_DRAINED_BYTES = 64 * 1024 * 1024
_READ_SECONDS = 60.0
_OPENING = (b"{", b"[")


async def read_object(request: Request, limit: int) -> dict[str, Any]:
    """The JSON object in the body, which may have ``limit`` bytes. Raises ``ApiError``."""
    _check_content_type(request)
    raw = await read_bounded(request, limit)
    value = _parse(raw)
    if not isinstance(value, dict):
        raise invalid(f"the body must be a JSON object, but it is {shown(value)}", None, "invalid_json")
    _check_depth(raw, value)
    _check_null_bytes(raw, value)
    _check_duplicates(raw, value)
    return value


def _check_content_type(request: Request) -> None:
    given = request.headers.get("content-type", "")
    header = email.message.Message()
    header["content-type"] = given
    subtype = header.get_content_subtype()
    charset = str(header.get_param("charset", "utf-8")).lower()
    if header.get_content_maintype() != "application" or not (subtype == "json" or subtype.endswith("+json")):
        message = f"content-type is {shown(given)}; send the body as JSON with content-type: application/json"
        raise ApiError(415, message, param="content-type", code="unsupported_media_type")
    if charset not in ("utf-8", "utf8", "us-ascii"):
        message = f"the body's charset is {shown(charset)}; send it as UTF-8"
        raise ApiError(415, message, param="content-type", code="unsupported_media_type")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        message = f"content-encoding is {shown(encoding)}; send the body uncompressed"
        raise ApiError(415, message, param="content-encoding", code="unsupported_media_type")


async def read_bounded(request: Request, limit: int) -> bytes:
    """The body, which may have ``limit`` bytes. Raises ``ApiError`` 408 or 413."""
    announced = request.headers.get("content-length", "")
    try:
        async with asyncio.timeout(_READ_SECONDS):
            if announced.isdigit() and int(announced) > limit:
                raise await _too_large(request, 0, limit)
            parts: list[bytes] = []
            size = 0
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise await _too_large(request, size, limit)
                parts.append(part)
    except TimeoutError as error:
        message = f"the body did not arrive within {_READ_SECONDS:.0f} seconds; send the request again"
        raise ApiError(408, message, code="body_timeout", headers={"connection": "close"}) from error
    return b"".join(parts)


async def _too_large(request: Request, size: int, limit: int) -> ApiError:
    # A server that answers and closes while the client still sends resets the connection, and the client never sees
    # the answer: what is left of the body is read and thrown away, up to a bound.
    async for part in request.stream():
        size += len(part)
        if size > _DRAINED_BYTES:
            break
    return ApiError(
        413,
        f"the body has more than {limit} bytes (at least {max(size, limit + 1)}); shorten the messages, or raise "
        "gateway.body_bytes in tandem.toml",
        code="body_too_large",
        headers={"connection": "close"},
    )


def _parse(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _malformed(raw, error) from error


def _malformed(raw: bytes, error: orjson.JSONDecodeError) -> ApiError:
    if not raw.strip():
        return invalid("the body is empty; send a JSON object", None, "invalid_json")
    try:
        raw.decode()
    except UnicodeDecodeError as undecodable:
        place = f"byte {undecodable.start} (0x{raw[undecodable.start]:02x})"
        return invalid(f"the body is not valid UTF-8 at {place}; encode it as UTF-8", None, "invalid_utf8")
    around = raw.decode()[max(0, error.pos - 20) : error.pos + 20]
    return invalid(f"the body is not valid JSON: {error.msg}, near {shown(around)}", None, "invalid_json")


def _check_depth(raw: bytes, value: Any) -> None:
    if sum(raw.count(mark) for mark in _OPENING) <= _DEPTH:
        return
    level = [value]
    for _ in range(_DEPTH):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            return
    raise invalid(f"the body is nested more than {_DEPTH} levels deep; make it flatter", None, "too_deep")


def _children(item: Any) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else item


def _check_null_bytes(raw: bytes, value: Any) -> None:
    if b"\\u0000" not in raw:
        return
    # Engines written in C end a string there, and Postgres cannot store it.
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, str) and "\0" in item:
            raise invalid(
                f"{path or 'the body'} contains a null character (\\u0000); remove it", path, "null_character"
            )
        if isinstance(item, dict):
            if any("\0" in key for key in item):
                raise invalid("a name in the body contains a null character (\\u0000); remove it", path or None)
            stack.extend((f"{path}.{key}".lstrip("."), child) for key, child in item.items())
        elif isinstance(item, list):
            stack.extend((f"{path}[{index}]", child) for index, child in enumerate(item))


def _check_duplicates(raw: bytes, value: dict[str, Any]) -> None:
    if all(raw.count(b'"%s"' % key.encode()) <= 1 for key in value):
        return
    json.loads(raw, object_pairs_hook=_refuse_duplicates)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise invalid(f"{shown(twice)} is given more than once; give it once", twice, "duplicate_parameter")
    return found
