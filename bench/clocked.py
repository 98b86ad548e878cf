"""How long the engines took for one question: what a cache of generations remembers, or what was just measured."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from workers.collaboration.protocol import Collaboration, CollaborationEvent, CollaborationRequest
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard


@dataclass(slots=True)
class Clock:
    """Seconds of engines, summed over generations; those side by side count each."""

    seconds: float = 0.0


class ClockedModel:
    """Wraps a model over a cache of generations, whose meter tells the seconds of each call."""

    def __init__(self, inner: ChatModel, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        try:
            async with aclosing(self._inner.generate(request)) as stream:
                async for event in stream:
                    yield event
        finally:
            self._clock.seconds += request.meter.seconds


class ClockedCollaboration:
    """Wraps a collaboration, which is written anew every time."""

    def __init__(self, inner: Collaboration, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    async def write(self, request: CollaborationRequest) -> AsyncGenerator[CollaborationEvent, None]:
        started = time.monotonic()
        try:
            async with aclosing(self._inner.write(request)) as stream:
                async for event in stream:
                    yield event
        finally:
            self._clock.seconds += time.monotonic() - started
