"""Redis' Vector Sets: approximate nearest neighbours, of which a filter drops those that lack its fields."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import numpy as np
from redis.asyncio import Redis

from routers.embedding import Vectors

_EFFORT = 400
"""How many elements a search looks at; Redis' default misses some where filters are narrow."""


async def nearest(redis: Redis, key: str, vector: Vectors, wanted: str, count: int) -> dict[str, float]:
    """Elements of a vector set by cosine similarity, nearest first; ``wanted`` is a filter expression or empty."""
    narrowing = ("FILTER", wanted, "FILTER-EF", _EFFORT) if wanted else ()
    # Not the client's ``vsim``, which fails where the key does not exist.
    ask = cast(Callable[..., Awaitable[Any]], redis.execute_command)
    answer = await ask("VSIM", key, "FP32", as_bytes(vector), "WITHSCORES", "COUNT", count, "EF", _EFFORT, *narrowing)
    # A map in the newer protocol, pairs in a row in the older.
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    # Redis' score is (1 + cosine) / 2.
    return {name.decode(): 2 * float(score) - 1 for name, score in pairs}


def as_bytes(vector: Vectors) -> bytes:
    """As Redis takes it. A text without words has no direction; any one will do, as long as it has a length."""
    if not vector.any():
        vector = np.eye(1, len(vector), dtype=np.float32)[0]
    return np.asarray(vector, dtype="<f4").tobytes()
