"""What settings accept as the address of a server, and as its port."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AnyHttpUrl, Field, TypeAdapter, ValidationError

_HTTP_URL = TypeAdapter(AnyHttpUrl)
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


def _of_http(value: str) -> str:
    if not value:
        return value
    if not value.startswith(("http://", "https://")):
        raise ValueError(f"{value!r} is no address: it begins with http:// or https://, such as http://127.0.0.1:8888")
    try:
        _HTTP_URL.validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Input should be a valid URL, ")
        raise ValueError(f"{value!r} is no address ({reason}); write one such as http://127.0.0.1:8888") from error
    return value


def _of_redis(value: str) -> str:
    if value and not (value.startswith(_REDIS_SCHEMES) and _has_a_readable_port(value)):
        raise ValueError(f"{value!r} is no address of a Redis; write one such as redis://127.0.0.1:6379/0")
    return value


def _has_a_readable_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:  # what urlsplit raises for a port that is none, and for broken brackets
        return False


HttpAddress = Annotated[str, AfterValidator(_of_http)]
"""``http://`` or ``https://`` and a host; "" is none."""

RedisAddress = Annotated[str, AfterValidator(_of_redis)]
"""``redis://``, ``rediss://`` or ``unix://`` and where it is; "" is none."""

Port = Annotated[int, Field(ge=1, le=65_535)]
