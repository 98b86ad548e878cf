"""What a worker writes about an answer into its Redis Stream: tokens and hand-overs in batches, then how it ended."""

from collections.abc import Iterable, Sequence
from typing import cast

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis

from workers.collaboration.faults import Fault
from workers.collaboration.job import stream_key
from workers.collaboration.protocol import CollaborationMeter, Handover, Waiting, Written
from workers.engines.protocol import FinishReason
from workers.usage import Usage

_Entries = list[tuple[bytes, dict[bytes, bytes]]]
_Streams = list[tuple[bytes, _Entries]]
_PAGE = 500


class Batch(BaseModel):
    """Events in order. ``usage`` and ``calls`` are the totals so far by model, those of lost workers included.
    ``reason`` is set in the last batch of an answer that came to its end, ``fault`` in that of one that did not."""

    model_config = ConfigDict(frozen=True)

    events: tuple[Written | Handover | Waiting, ...] = ()
    usage: dict[str, Usage] = {}
    calls: dict[str, int] = {}
    reason: FinishReason | None = None
    fault: Fault | None = None

    @property
    def last(self) -> bool:
        return self.reason is not None or self.fault is not None


class History:
    """What the stream of an answer holds already, for the worker that goes on with it."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self.written: list[Written] = []
        self.meter = CollaborationMeter()
        self.ended = False
        for batch in batches:
            self.written += [event for event in batch.events if isinstance(event, Written)]
            self.meter = CollaborationMeter(dict(batch.usage), dict(batch.calls))
            self.ended = self.ended or batch.last

    @property
    def whole(self) -> bool:
        """Whether every token from the first on is there."""
        return all(token.position == place for place, token in enumerate(self.written))


async def read_history(redis: Redis, job: str) -> History:
    batches: list[Batch] = []
    after = "-"
    while entries := cast(_Entries, await redis.xrange(stream_key(job), min=after, count=_PAGE)):
        batches += [Batch.model_validate_json(fields[b"e"]) for _, fields in entries]
        after = f"({entries[-1][0].decode()}"
    return History(batches)


async def read_batches(redis: Redis, job: str, after: str, wait: int) -> Sequence[tuple[str, Batch]]:
    """(id, batch) pairs after the id ``after``, waiting up to ``wait`` milliseconds for the first; perhaps none."""
    answer = cast(_Streams, await redis.xread({stream_key(job): after}, count=_PAGE, block=wait))
    if not answer:
        return ()
    return [(identifier.decode(), Batch.model_validate_json(fields[b"e"])) for identifier, fields in answer[0][1]]
