"""A question to a running worker: what its memory holds. ``--include tests.worker_census`` lets it answer."""

import gc
import sys
from collections import Counter
from typing import Any

from celery import Celery
from celery.worker import state as worker_state
from celery.worker.control import inspect_command
from pydantic import BaseModel

_NAME = "census"


class Census(BaseModel):
    """``at_work`` tasks, ``blocks`` of memory that Python has in use, and the objects among them that are of Tandem's
    own classes, or tasks of an event loop, by class."""

    at_work: int
    blocks: int
    objects: dict[str, int]

    def same_objects(self, other: "Census | None") -> bool:
        return other is not None and self.objects == other.objects


@inspect_command(name=_NAME)  # type: ignore[untyped-decorator]
def _census(state: Any) -> dict[str, Any]:
    gc.collect()
    names = (f"{type(found).__module__}.{type(found).__qualname__}" for found in gc.get_objects())
    blocks = sys.getallocatedblocks()
    return {"at_work": len(worker_state.active_requests), "blocks": blocks, "objects": Counter(filter(_counts, names))}


def _counts(name: str) -> bool:
    return name.startswith("workers.") or name == "_asyncio.Task"


def take_census(app: Celery, seconds: float = 10) -> Census:
    """Of the only worker on the app's Redis; ``seconds`` to wait for its answer."""
    (answer,) = app.control.broadcast(_NAME, reply=True, limit=1, timeout=seconds)
    return Census.model_validate(*answer.values())
