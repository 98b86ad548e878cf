"""Threads: what an earlier turn of the same conversation leaves for the next one."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import orjson
from pydantic import BaseModel, ConfigDict

from workers.messages import Message


class ThreadMemory(BaseModel):
    """The thread's name and the difficulty its last assessed question had."""

    model_config = ConfigDict(frozen=True)

    thread: str
    difficulty: float | None = None


class Threads(Protocol):
    """Remembers threads per owner. A lost memory costs an inherited difficulty, never an answer."""

    async def recall(self, owner: str, key: str) -> ThreadMemory | None: ...

    async def remember(self, owner: str, key: str, memory: ThreadMemory) -> None: ...


class NoThreads:
    """For benchmarks, whose questions stand alone."""

    async def recall(self, owner: str, key: str) -> ThreadMemory | None:
        return None

    async def remember(self, owner: str, key: str, memory: ThreadMemory) -> None:
        return None


def key_before(messages: Sequence[Message]) -> str:
    """The key of the conversation before its last user message: what the turn before has stored itself under."""
    last = max((i for i, message in enumerate(messages) if message.role == "user"), default=0)
    return _digest(messages[:last])


def key_after(messages: Sequence[Message], answer: str) -> str:
    """The key under which this turn is found by the next one, which sends ``answer`` back as history."""
    return _digest([*messages, Message(role="assistant", content=answer)])


def _digest(messages: Sequence[Message]) -> str:
    spoken = [(message.role, message.content) for message in messages if message.role in ("user", "assistant")]
    return hashlib.sha256(orjson.dumps(spoken)).hexdigest()
