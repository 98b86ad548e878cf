"""Server-sent events of a generation, read without aiohttp's limit on the length of a line."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson

from workers.engines.errors import EngineUnavailable

# SGLang repeats the whole answer with its log-probabilities in every event: megabytes for a long answer.
_LONGEST_EVENT = 256 * 2**20


async def server_sent(content: aiohttp.StreamReader) -> AsyncIterator[dict[str, Any]]:
    """The JSON objects of ``data:`` lines, until ``[DONE]`` or the end.

    Raises ``EngineUnavailable`` when one does not end.
    """
    pending = bytearray()
    async for chunk in content.iter_any():
        searched = len(pending)
        pending += chunk
        while (end := pending.find(b"\n", searched)) >= 0:
            line = bytes(pending[:end]).strip()
            del pending[: end + 1]
            searched = 0
            if line == b"data: [DONE]":
                return
            if line.startswith(b"data: "):
                yield orjson.loads(line[6:])
        if len(pending) > _LONGEST_EVENT:
            raise EngineUnavailable(f"the server sent an event of more than {_LONGEST_EVENT} bytes; restart it")
