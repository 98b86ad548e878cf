"""Tokens in handfuls: what comes within a moment travels together."""

import asyncio
import time
from collections.abc import AsyncGenerator

from workers.collaboration.protocol import CollaborationEvent


async def batches(
    events: AsyncGenerator[CollaborationEvent, None], *, seconds: float, most: int
) -> AsyncGenerator[list[CollaborationEvent], None]:
    """Yield ``events`` in lists of at most ``most``, none held back for longer than ``seconds``. Closing it closes
    ``events``."""
    pending: list[CollaborationEvent] = []
    due = 0.0
    coming = asyncio.ensure_future(anext(events))
    try:
        while True:
            wait = max(0.0, due - time.monotonic()) if pending else None
            done, _ = await asyncio.wait((coming,), timeout=wait)
            if done:
                fault = coming.exception()
                if fault is not None:
                    break
                event = coming.result()
                if not pending:
                    due = time.monotonic() + seconds
                pending.append(event)
                coming = asyncio.ensure_future(anext(events))
            if len(pending) >= most or (pending and time.monotonic() >= due):
                yield pending
                pending = []
        if pending:
            # What came before a fault is part of the answer.
            yield pending
        if not isinstance(fault, StopAsyncIteration):
            raise fault
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await events.aclose()
