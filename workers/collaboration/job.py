"""A collaborative answer as it travels between the gateway and a worker."""

from pydantic import BaseModel, ConfigDict

from workers.collaboration.protocol import CollaborationRequest
from workers.engines.address import EngineAddress

TASK = "collaborate.write"
QUEUE = "collaborate"

LINE = "tandem:collaborate:line"
"""The ids of the answers that somebody reads, in the order in which they were sent."""

LEASE_MILLISECONDS = 4000
BEAT_SECONDS = 0.4
"""A worker renews its lease this often, and so finds out within this time that its answer is not wanted any more."""

READER_SECONDS = 12
"""The record of an answer lives this long after its reader was last seen; without it no worker goes on."""

BILL_SECONDS = 60
"""What a worker used that was told to stop is kept this long for the reader, which may be gone itself."""

KEEP_SECONDS = 600
LONGEST_STREAM = 200_000


class Job(BaseModel):
    """``engines`` are those of the request's two models, the small one first. ``head`` is the file of a head trained
    for them, "" for the one that ships, if any."""

    model_config = ConfigDict(frozen=True)

    request: CollaborationRequest
    engines: tuple[EngineAddress, ...]
    head: str = ""

    @property
    def id(self) -> str:
        return self.request.job


def record_key(job: str) -> str:
    return f"tandem:collaborate:{job}"


def lease_key(job: str) -> str:
    return f"tandem:collaborate:{job}:lease"


def bill_key(job: str, fence: int) -> str:
    return f"tandem:collaborate:{job}:bill:{fence}"


def stream_key(job: str) -> str:
    return f"tandem:collaborate:{job}:events"
