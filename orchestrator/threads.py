"""Threads: what an earlier turn of the same conversation leaves for the next one."""

from typing import Protocol

from orchestrator.runs import RunRequest
from orchestrator.storage.database import Database
from orchestrator.storage.records import ThreadRecord
from orchestrator.storage.thread_store import conversation_digest
from routers.assessment import Assessment
from workers.messages import Message


class Threads(Protocol):
    """Remembers threads per owner. A lost memory costs an inherited difficulty, never an answer."""

    async def recall(self, request: RunRequest) -> ThreadRecord | None: ...

    async def remember(self, run: str, request: RunRequest, assessment: Assessment, route: str, text: str) -> None: ...


class NoThreads:
    """For benchmarks, whose questions stand alone."""

    async def recall(self, request: RunRequest) -> ThreadRecord | None:
        return None

    async def remember(self, run: str, request: RunRequest, assessment: Assessment, route: str, text: str) -> None:
        return None


class StoredThreads:
    """Threads in the database: found by the caller's id, else by the messages that the caller repeats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recall(self, request: RunRequest) -> ThreadRecord | None:
        known = request.follows or request.thread
        if known is not None:
            return await self._database.get_thread(known, request.owner)
        history = _before_last_question(request.messages)
        if not any(message.role == "assistant" for message in history):
            return None
        return await self._database.find_thread(conversation_digest(history), request.owner)

    async def remember(self, run: str, request: RunRequest, assessment: Assessment, route: str, text: str) -> None:
        earlier = None if request.follows else await self.recall(request)
        digest = conversation_digest([*request.messages, Message(role="assistant", content=text)])
        await self._database.save_thread(
            ThreadRecord(
                owner=request.owner,
                id=request.thread or (earlier.id if earlier else run),
                run=run,
                digest=digest,
                difficulty=assessment.difficulty,
                form=assessment.form,
                route=route,
            )
        )


def _before_last_question(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    last = max((index for index, message in enumerate(messages) if message.role == "user"), default=0)
    return messages[:last]
