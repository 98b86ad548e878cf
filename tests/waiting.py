"""Wait for what is bound to happen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

_PROMISED_SECONDS = 1.0
_BUSY_SECONDS = 1.5


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
    """What the block does has happened within the second in which a cancel is promised to reach the engines; a busy
    machine gets some more. Raises ``TimeoutError``."""
    async with asyncio.timeout(_PROMISED_SECONDS + _BUSY_SECONDS):
        yield
