"""Engine clients that several answers share, opened when first needed and closed when there are too many."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from workers.engines.address import EngineAddress, open_engine
from workers.engines.protocol import Engine

_KEPT = 16


class EnginePool:
    """Used from one event loop. At most ``kept`` clients that nobody uses stay open."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        # In the order of their last use, the oldest first.
        self._engines: dict[EngineAddress, Engine] = {}
        self._users: dict[EngineAddress, int] = {}

    @asynccontextmanager
    async def borrow(self, addresses: Iterable[EngineAddress]) -> AsyncIterator[dict[str, Engine]]:
        """The engines by name while the block runs."""
        wanted = tuple(addresses)
        for address in wanted:
            engine = self._engines.pop(address, None) or open_engine(address)
            self._engines[address] = engine
            self._users[address] = self._users.get(address, 0) + 1
        try:
            yield {address.name: self._engines[address] for address in wanted}
        finally:
            for address in wanted:
                self._users[address] -= 1
            await self._close_surplus()

    async def _close_surplus(self) -> None:
        unused = [address for address in self._engines if not self._users[address]]
        surplus = unused[: max(0, len(self._engines) - self._kept)]
        # Out of the pool before the first one is waited for: nobody borrows what is being closed.
        closing = [self._engines.pop(address) for address in surplus]
        for address in surplus:
            del self._users[address]
        for engine in closing:
            await engine.aclose()
