"""The gate of engines that share a machine: who decodes holds the machine's decode lease."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from workers.decode_lease import DecodeLease
from workers.engines.address import EngineAddress
from workers.engines.errors import EngineUnavailable

Tell = Callable[[str, int], Awaitable[None]]
"""Told a model and its place in the queue (1 is next), of a wait that lasts and whenever the place changes then."""

# Answers that take turns wait for each other at every hand-over; what is over by then is nothing to tell.
_MOMENT_SECONDS = 0.3


async def _tell_nobody(_model: str, _place: int) -> None:
    pass


class LeasedGate:
    """Implements ``Gate``. Engines that are not exclusive pass at once."""

    def __init__(self, lease: DecodeLease, engines: Mapping[str, EngineAddress], tell: Tell = _tell_nobody) -> None:
        self._lease = lease
        self._engines = engines
        self._tell = tell

    @asynccontextmanager
    async def hold(self, model: str) -> AsyncIterator[None]:
        engine = self._engines[model]
        if not engine.exclusive:
            yield
            return
        notice = _Notice(model, self._tell)
        try:
            async with self._lease.hold(model, engine.slots, notice.waits):
                await notice.end()
                yield
        except RedisError as error:
            raise EngineUnavailable(
                f"engine {model!r} waits for the machine's decode lease, but Redis does not answer ({error}); "
                "start Redis or set its url in tandem.toml"
            ) from error
        finally:
            await notice.end()


class _Notice:
    """Tells of one wait, if it lasts."""

    def __init__(self, model: str, tell: Tell) -> None:
        self._model = model
        self._tell = tell
        self._place = 0
        self._moved = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    def waits(self, place: int) -> None:
        self._place = place
        self._moved.set()
        if self._telling is None:
            self._telling = asyncio.create_task(self._keep_telling())

    async def end(self) -> None:
        """Nothing is told after this, and nothing is left half told."""
        if self._telling is not None:
            self._telling.cancel()
            # What kept the news from getting out keeps the answer from it too, and ends that.
            await asyncio.gather(self._telling, return_exceptions=True)
            self._telling = None

    async def _keep_telling(self) -> None:
        await asyncio.sleep(_MOMENT_SECONDS)
        while True:
            self._moved.clear()
            await self._tell(self._model, self._place)
            await self._moved.wait()
