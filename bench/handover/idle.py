"""When a llama.cpp server has no generation under way."""

import asyncio

import aiohttp

from bench.handover.timing import Idle
from workers.engines.errors import EngineUnavailable

_POLL_SECONDS = 0.003
_LONGEST_SECONDS = 60.0


def idle_at(url: str) -> Idle:
    """Asks the server's ``/slots`` every few milliseconds. Raises ``EngineUnavailable`` where it cannot be asked or is
    still busy after a minute."""

    async def idle() -> None:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS), aiohttp.ClientSession(raise_for_status=True) as http:
                busy = await _busy(http, url)
                while busy:
                    await asyncio.sleep(_POLL_SECONDS)
                    busy = await _busy(http, url)
        except aiohttp.ClientError as error:
            raise EngineUnavailable(f"{url}/slots does not say what is under way ({error})") from error
        except TimeoutError as error:
            raise EngineUnavailable(f"{url} is still busy {_LONGEST_SECONDS:.0f} s after an abort") from error

    return idle


async def _busy(http: aiohttp.ClientSession, url: str) -> bool:
    async with http.get(f"{url.rstrip('/')}/slots") as response:
        return any(slot["is_processing"] for slot in await response.json())
