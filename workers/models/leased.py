"""A model that decodes only while it holds the machine's decode lease."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from redis.exceptions import RedisError

from workers.decode_lease import DecodeLease, OnWait
from workers.engines.errors import EngineUnavailable
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatRequest, ModelCard, PreparingModel


class Leased:
    """Wraps a model whose engine shares a CPU with others. ``slots`` is how many requests the engine serves at once.
    What is not decoding, a prompt's rendering and its token ids, is done while the lease is asked for.

    ``on_wait`` is told the place in the queue while the request waits. Raises ``EngineUnavailable`` when the lease
    cannot be asked for because Redis is away.
    """

    def __init__(
        self, inner: PreparingModel, lease: DecodeLease, engine: str, slots: int, on_wait: OnWait | None = None
    ) -> None:
        self._inner = inner
        self._lease = lease
        self._engine = engine
        self._slots = slots
        self._on_wait = on_wait

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        finish: Finish | None = None
        try:
            async with (
                _prepared(self._inner, request) as preparing,
                self._lease.hold(self._engine, self._slots, self._on_wait),
                aclosing(self._inner.generate(await preparing)) as stream,
            ):
                async for event in stream:
                    if isinstance(event, Finish):
                        finish = event
                    else:
                        yield event
        except RedisError as error:
            raise EngineUnavailable(
                f"engine {self._engine!r} waits for the machine's decode lease, but Redis does not answer ({error}); "
                "start Redis or set its url in tandem.toml"
            ) from error
        if finish is not None:
            # After the lease is given back: whoever reads the finish may take long to ask for more.
            yield finish


@asynccontextmanager
async def _prepared(model: PreparingModel, request: ChatRequest) -> AsyncIterator[asyncio.Task[ChatRequest]]:
    preparing = asyncio.create_task(model.prepared(request))
    try:
        yield preparing
    finally:
        preparing.cancel()
        # Also takes up the fault of one that nobody waited for, because the lease could not be had.
        await asyncio.gather(preparing, return_exceptions=True)
