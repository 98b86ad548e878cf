"""Tool calls on their way to the caller."""

import uuid
from collections.abc import Sequence
from typing import Any


def with_ids(calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every call with an id, which the caller needs to answer it, and a type; some engines leave both out."""
    return [{**call, "id": call.get("id") or f"call_{uuid.uuid4().hex[:24]}", "type": "function"} for call in calls]
