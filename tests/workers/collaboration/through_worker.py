"""Answers through a real Celery worker and back, over two scripted engines, and what came of them."""

import uuid
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from workers.celery_app import create_app
from workers.collaboration.protocol import CollaborationEvent, CollaborationFinish, CollaborationRequest, Written
from workers.collaboration.remote import CeleryCollaboration
from workers.engines.address import EngineAddress
from workers.engines.protocol import Sampling
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

TEXT = " ".join(str(number) for number in range(100, 160))
# The small model is sure of twenty tokens, then in doubt for twenty, and so on; the large one is always sure.
DOUBTS = (-0.01,) * 20 + (-1.0,) * 20
DIGESTS = {"small": "5" * 64, "large": "1" * 64}


@dataclass
class Engines:
    """Two scripted engines, "small" and "large", which a worker opens by their addresses."""

    small: ScriptedServer
    large: ScriptedServer

    def play(self, text: str = TEXT, **fields: Any) -> None:
        self.small.script = Script(default=Reply(texts=(text,), continues=True, logprobs=DOUBTS, **fields))
        self.large.script = Script(default=Reply(texts=(text,), continues=True, logprobs=(-0.01,), **fields))

    def addresses(self, **fields: Any) -> dict[str, EngineAddress]:
        return {
            name: EngineAddress(
                name=name, kind="llamacpp", url=server.url, sha256=DIGESTS[name], **{"slots": 8, **fields}
            )
            for name, server in (("small", self.small), ("large", self.large))
        }

    @property
    def tokens(self) -> int:
        return self.small.stats.tokens + self.large.stats.tokens

    @property
    def running(self) -> int:
        return self.small.stats.running + self.large.stats.running


def remote(
    client: Redis, engines: Engines, *, limit: int = 32, patience: float = 10, head: str = "", **how: Any
) -> CeleryCollaboration:
    url = "redis://{host}:{port}/{db}".format(**{"db": 0, **client.connection_pool.connection_kwargs})
    addresses = engines.addresses(**how)
    return CeleryCollaboration(create_app(url), client, addresses, limit=limit, patience=patience, head=head)


def request(question: str = "Count.", policy: str = "entropy", **fields: Any) -> CollaborationRequest:
    messages = (Message(role="user", content=question),)
    return CollaborationRequest(
        job=uuid.uuid4().hex,
        policy=policy,
        small="small",
        large="large",
        messages=messages,
        sampling=Sampling(max_tokens=4000),
        **fields,
    )


async def everything(collaboration: CeleryCollaboration, asked: CollaborationRequest) -> list[CollaborationEvent]:
    return [event async for event in collaboration.write(asked)]


def text_of(events: list[CollaborationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Written))


def check_whole(events: list[CollaborationEvent]) -> CollaborationFinish:
    """Every position once, and a finish."""
    positions = [event.position for event in events if isinstance(event, Written)]
    assert positions == list(range(len(positions)))
    finish = events[-1]
    assert isinstance(finish, CollaborationFinish)
    return finish
