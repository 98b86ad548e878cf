"""Who may decode: on a CPU one engine at a time, machine-wide, because two that spin slow each other tenfold."""

import asyncio
import inspect
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Literal

from redis.asyncio import Redis
from redis.exceptions import RedisError

OnWait = Callable[[int], Awaitable[None] | None]
"""Told a waiting request's place in the queue (1 is next) whenever it changes."""

_TIME_TO_LIVE = 5.0
_BEAT = 1.5
_POLL_PER_PLACE = 0.01
_LONGEST_POLL = 0.25
_DROP_SECONDS = 2.0


class DecodeLease:
    """A lease in Redis, first come, first served. Requests of one engine share it up to the engine's slots.

    ``prefix`` names the lease: everyone who decodes on a machine uses the same. A process that dies loses its tickets
    after ``time_to_live`` seconds.
    """

    def __init__(self, redis: Redis, *, prefix: str = "tandem:decode", time_to_live: float = _TIME_TO_LIVE) -> None:
        self._time_to_live = time_to_live
        self._drops: set[asyncio.Task[None]] = set()
        # One hash tag, so that the keys of the script share a slot on a cluster.
        self._keys = [f"{{{prefix}}}:{name}" for name in ("waiting", "holding", "alive", "about", "counter")]
        self._script = redis.register_script(files("workers").joinpath("decode_lease.lua").read_text("utf-8"))

    @asynccontextmanager
    async def hold(self, engine: str, slots: int, on_wait: OnWait | None = None) -> AsyncIterator[None]:
        """Wait until ``engine`` may decode one more request (at most ``slots`` at once), and hold the lease meanwhile.

        Takes one round trip to Redis when nobody waits. Raises ``redis.exceptions.RedisError`` when Redis is away.
        """
        ticket = uuid.uuid4().hex
        try:
            await self._wait(ticket, engine, slots, on_wait)
            beat = asyncio.create_task(self._beat(ticket, engine, slots))
            try:
                yield
            finally:
                beat.cancel()
                await asyncio.wait((beat,))
        finally:
            # Shielded: a request that is cancelled twice must not leave its ticket to block the others.
            drop = asyncio.create_task(self._drop(ticket, engine, slots))
            self._drops.add(drop)
            drop.add_done_callback(self._drops.discard)
            await asyncio.shield(drop)

    async def _wait(self, ticket: str, engine: str, slots: int, on_wait: OnWait | None) -> None:
        told = 0
        while (place := await self._step("take", ticket, engine, slots)) > 0:
            if place != told and on_wait is not None:
                told = place
                answer = on_wait(place)
                if inspect.isawaitable(answer):
                    await answer
            # Those at the front look often; a long queue does not keep Redis busy.
            await asyncio.sleep(min(_LONGEST_POLL, _POLL_PER_PLACE * place, self._time_to_live / 3))

    async def _beat(self, ticket: str, engine: str, slots: int) -> None:
        while True:
            await asyncio.sleep(min(_BEAT, self._time_to_live / 3))
            try:
                await self._step("beat", ticket, engine, slots)
            except RedisError:
                continue  # the next beat may get through; if none does, the lease passes on, which is what it is for

    async def _drop(self, ticket: str, engine: str, slots: int) -> None:
        try:
            async with asyncio.timeout(_DROP_SECONDS):
                await self._step("drop", ticket, engine, slots)
        except (RedisError, TimeoutError):
            pass  # the ticket dies of its missing heartbeat

    async def _step(self, operation: Literal["take", "beat", "drop"], ticket: str, engine: str, slots: int) -> int:
        arguments: list[str | int] = [operation, ticket, engine, slots, int(self._time_to_live * 1000)]
        task = asyncio.current_task()
        cancels = task.cancelling() if task is not None else 0
        place = int(await self._script(keys=self._keys, args=arguments))
        if task is not None and task.cancelling() > cancels:
            # With a socket timeout redis-py waits in asyncio.wait_for, which before Python 3.12 loses a cancellation
            # that comes in the very moment the command is sent.
            raise asyncio.CancelledError
        return place
