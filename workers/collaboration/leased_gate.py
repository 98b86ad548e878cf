"""The gate of engines that share a machine: who decodes holds the machine's decode lease."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from workers.decode_lease import DecodeLease
from workers.engines.address import EngineAddress
from workers.engines.errors import EngineUnavailable


class LeasedGate:
    """Implements ``Gate``. Engines that are not exclusive pass at once."""

    def __init__(self, lease: DecodeLease, engines: Mapping[str, EngineAddress]) -> None:
        self._lease = lease
        self._engines = engines

    @asynccontextmanager
    async def hold(self, model: str) -> AsyncIterator[None]:
        engine = self._engines[model]
        if not engine.exclusive:
            yield
            return
        try:
            async with self._lease.hold(model, engine.slots):
                yield
        except RedisError as error:
            raise EngineUnavailable(
                f"engine {model!r} waits for the machine's decode lease, but Redis does not answer ({error}); "
                "start Redis or set its url in tandem.toml"
            ) from error
