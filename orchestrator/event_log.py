"""The event log of a run: a Redis Stream that one gateway writes, fenced, and every door tails."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import cast

from redis.asyncio import Redis

from agents.events import EVENT, ContentDelta, Event, RunFinished
from orchestrator.live_events import LiveEvents
from workers.fence import FencedStream

_Entries = list[tuple[bytes, dict[bytes, bytes]]]
_Streams = list[tuple[bytes, _Entries]]
_PENDING = 1000
_BLOCK_MILLISECONDS = 2000


def run_key(run: str) -> str:
    return f"tandem:run:{run}"


def log_key(run: str) -> str:
    return f"tandem:run:{run}:events"


class EventLog:
    """Writes one run's events in order. What is emitted while a write is under way goes out with the next one.

    ``live`` has each event once it is in Redis. ``written`` is the visible answer so far, after that of ``earlier``
    events.
    """

    def __init__(
        self, redis: Redis, run: str, fence: int, *, keep_seconds: int, longest: int, earlier: Iterable[Event] = ()
    ) -> None:
        self._stream = FencedStream(
            redis, record=run_key(run), stream=log_key(run), fence=fence, longest=longest, keep_seconds=keep_seconds
        )
        self._pending: asyncio.Queue[Event] = asyncio.Queue(maxsize=_PENDING)
        self._writing: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None
        self.live = LiveEvents()
        self._written = [event.text for event in earlier if isinstance(event, ContentDelta)]

    @property
    def written(self) -> str:
        return "".join(self._written)

    async def emit(self, event: Event) -> None:
        """Queue an event. Raises ``FencedOff`` or the Redis error that an earlier write met."""
        if self.failure is not None:
            raise self.failure
        first_words = isinstance(event, ContentDelta) and not self._written
        if isinstance(event, ContentDelta):
            self._written.append(event.text)
        await self._pending.put(event)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._drain())
        if first_words:
            # They are with the reader before what else the engine has sent already is looked at.
            await self.flush()

    def emit_now(self, event: Event) -> None:
        """Queue an event from code that cannot wait (a ledger's charge). The queue is bounded by ``emit``'s waiting."""
        try:
            self._pending.put_nowait(event)
        except asyncio.QueueFull:
            self._overflow(event)

    async def flush(self) -> None:
        """Wait until everything emitted so far is in Redis."""
        while self._writing is not None and not self._writing.done():
            await asyncio.shield(self._writing)
        if not self._pending.empty():
            await self._drain()
        if self.failure is not None:
            raise self.failure

    def _overflow(self, event: Event) -> None:
        raise RuntimeError(f"{_PENDING} events wait for Redis and {event.type!r} cannot be dropped; Redis is too slow")

    async def _drain(self) -> None:
        try:
            while not self._pending.empty():
                batch = [self._pending.get_nowait() for _ in range(self._pending.qsize())]
                ids = await self._stream.append([EVENT.dump_json(event) for event in batch])
                self.live.add(zip(ids, batch, strict=True))
        except Exception as error:  # noqa: BLE001 - kept and raised by the next emit or flush: a task's own exception would be lost
            self.failure = error
            self.live.close()


async def tail(redis: Redis, run: str, after: str = "0") -> AsyncIterator[tuple[str, Event]]:
    """Yield (id, event) after ``after`` until the run's last event, waiting for what is not there yet.

    Ends early when the stream has expired.
    """
    key, last = log_key(run), after
    while True:
        # The client's types cover every protocol version's shape; a plain RESP2 client answers with this one.
        answer = cast(_Streams, await redis.xread({key: last}, count=500, block=_BLOCK_MILLISECONDS))
        if not answer:
            if not await redis.exists(run_key(run)):
                return
            continue
        for identifier, fields in answer[0][1]:
            last = identifier.decode()
            event = EVENT.validate_json(fields[b"e"])
            yield last, event
            if isinstance(event, RunFinished):
                return


async def read_all(redis: Redis, run: str) -> list[Event]:
    """Every event written so far."""
    entries = cast(_Entries, await redis.xrange(log_key(run)))
    return [EVENT.validate_json(fields[b"e"]) for _, fields in entries]


def now() -> float:
    return time.time()
