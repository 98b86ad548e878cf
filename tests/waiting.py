"""Wait for what is bound to happen."""

import asyncio
from collections.abc import Awaitable, Callable


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
