"""JSON that stays one line for every reader of a stream."""

from typing import Any

import orjson

# Some clients split a stream with Python's ``splitlines``, for which these characters end a line too.
_ENDS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))


def json_line(value: Any) -> bytes:
    """``value`` as JSON without any character that somebody takes for the end of a line."""
    return one_line(orjson.dumps(value))


def one_line(data: bytes) -> bytes:
    """The same for JSON that is encoded already."""
    if data.isascii():
        return data
    for character, escape in _ENDS:
        data = data.replace(character, escape)
    return data
