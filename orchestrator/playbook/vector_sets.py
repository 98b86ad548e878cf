"""Redis' Vector Sets: approximate nearest neighbours, of which a filter drops those that lack its fields."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from redis.asyncio import Redis

from routers.embedding import Vectors

_EFFORT = 100
"""How many elements a search looks at. ``make bench-playbook-recall`` says what that finds and costs: where questions
lie in families, 99 of 100 of the nearest, for a third of the time that 400 take."""


async def nearest(redis: Redis, key: str, vector: Vectors, wanted: str, count: int) -> dict[str, float]:
    """Elements of a vector set by cosine similarity, nearest first; ``wanted`` is a filter expression or empty."""
    return (await nearest_in(redis, [key], vector, wanted, count))[0]


async def nearest_in(
    redis: Redis, keys: Sequence[str], vector: Vectors, wanted: str, count: int, effort: int = _EFFORT
) -> list[dict[str, float]]:
    """``nearest`` in each of several vector sets, in one round trip."""
    narrowing = ("FILTER", wanted, "FILTER-EF", effort) if wanted else ()
    asked = ("FP32", as_bytes(vector), "WITHSCORES", "COUNT", count, "EF", effort, *narrowing)
    async with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            # Not the client's ``vsim``, which fails where the key does not exist.
            pipe.execute_command("VSIM", key, *asked)
        return [_similarities(answer) for answer in await pipe.execute()]


def _similarities(answer: Any) -> dict[str, float]:
    # A map in the newer protocol, pairs in a row in the older.
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    # Redis' score is (1 + cosine) / 2.
    return {name.decode(): 2 * float(score) - 1 for name, score in pairs}


def as_bytes(vector: Vectors) -> bytes:
    """As Redis takes it. A text without words has no direction; any one will do, as long as it has a length."""
    if not vector.any():
        vector = np.eye(1, len(vector), dtype=np.float32)[0]
    return np.asarray(vector, dtype="<f4").tobytes()
