"""Wait for what is bound to happen."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

_PROMISED_SECONDS = 1.0
_TICK_SECONDS = 0.1
# What is cancelled passes through a gateway and a worker to an engine, each as late as this process is seen to be.
_PROCESSES = 3


async def eventually(happened: Callable[[], bool], seconds: float = 30) -> None:
    """Raises ``TimeoutError`` if ``happened`` is not true within ``seconds``."""

    async def check() -> bool:
        return happened()

    await eventually_async(check, seconds)


async def eventually_async(happened: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """The same for a question that has to be asked over the network."""
    async with asyncio.timeout(seconds):
        while True:
            if await happened():
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def within_a_second() -> AsyncIterator[None]:
    """What the block does has happened within the second in which a cancel is promised to reach the engines, but for
    what a busy machine is seen to take away meanwhile. Raises ``TimeoutError``."""
    late = 0.0

    async def watch() -> None:
        nonlocal late
        while True:
            due = time.monotonic() + _TICK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
            late += max(0.0, time.monotonic() - due)

    watching = asyncio.create_task(watch())
    began = time.monotonic()
    try:
        yield
    finally:
        took = time.monotonic() - began
        watching.cancel()
    if took > _PROMISED_SECONDS + _PROCESSES * late:
        raise TimeoutError(f"took {took:.2f} s instead of {_PROMISED_SECONDS:.0f} s, with {late:.2f} s of lateness")
