"""A Slack thread as the conversation that a run gets."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError

from orchestrator.runs import RunRecord, UnknownRun
from web.slack.blocks import ANSWER_EVENT, CHOICE_EVENT
from web.slack.documents import Documents
from web.slack.place import Place
from web.slack.question import Question, SharedFile, owner_of
from web.slack.web_api import NETWORK_ERRORS
from web.slack.wording import plain
from workers.messages import Message

_PAGE = 200
_PAGES = 5
_SPOKEN = frozenset({None, "file_share", "thread_broadcast", "bot_message"})


class NothingAsked(Exception):
    """Neither the message nor the thread before it says anything."""


class RunReader(Protocol):
    async def get(self, run: str, owner: str) -> RunRecord: ...


@dataclass(frozen=True, slots=True)
class _Said:
    """A message of the thread: by a person, or by the bot as the answer of ``run``."""

    ts: str
    text: str
    files: tuple[SharedFile, ...] = ()
    run: str = ""
    user: str = ""


class Conversations:
    """Reads threads. ``longest`` is how many messages of one are taken, the newest."""

    def __init__(self, runs: RunReader, documents: Documents, longest: int) -> None:
        self._runs = runs
        self._documents = documents
        self._longest = longest

    async def read(self, question: Question, place: Place) -> tuple[Message, ...]:
        """The thread up to the question, which is the last message. Raises ``NothingAsked``."""
        own = _Said(question.ts, plain(question.text, place.workspace.bot_user), question.files)
        said = await self._thread(question, place) if question.thread != question.ts else []
        # The question is taken from its event: Slack's copy of the thread may lag behind it.
        before = [item for item in said if float(item.ts) < float(question.ts)]
        everything = [*before[-self._longest :], own]
        if not own.text and not own.files:
            everything.pop()
        if not everything or everything[-1].run:
            raise NothingAsked
        return await self._messages(everything, place)

    async def _thread(self, question: Question, place: Place) -> list[_Said]:
        found: deque[_Said] = deque(maxlen=self._longest * 3)
        cursor = None
        try:
            for _ in range(_PAGES):
                answer = await place.client.conversations_replies(
                    channel=question.channel,
                    ts=question.thread,
                    latest=question.ts,
                    limit=_PAGE,
                    cursor=cursor,
                    include_all_metadata=True,
                )
                found.extend(item for message in answer["messages"] if (item := _said(message, place)) is not None)
                cursor = (answer.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    break
        except (SlackApiError, *NETWORK_ERRORS):
            # A thread that cannot be read leaves the question, which can be answered by itself.
            return list(found)
        return sorted(found, key=lambda item: float(item.ts))

    async def _messages(self, said: Sequence[_Said], place: Place) -> tuple[Message, ...]:
        documents = await self._quoted(said, place)
        messages: list[Message] = []
        runs: set[str] = set()
        for item in said:
            if not item.run:
                content = "\n\n".join(part for part in (item.text, documents.get(item.ts, "")) if part)
                if content:
                    messages.append(Message(role="user", content=content))
            elif item.run not in runs:  # a long answer is several messages of one run
                runs.add(item.run)
                text = await self._answer(item, place)
                if text:
                    messages.append(Message(role="assistant", content=text))
        return tuple(messages)

    async def _quoted(self, said: Sequence[_Said], place: Place) -> dict[str, str]:
        """Each message's documents, the newest message's first in line for what room there is."""
        room = self._documents.characters
        quoted: dict[str, str] = {}
        for item in reversed(said):
            if item.files:
                documents = await self._documents.read(item.files, place.workspace.token, room)
                room -= sum(len(document.text) for document in documents)
                quoted[item.ts] = "\n\n".join(document.quoted() for document in documents)
        return quoted

    async def _answer(self, item: _Said, place: Place) -> str:
        """The answer as the run left it; while it is being written there is none."""
        try:
            record = await self._runs.get(item.run, owner_of(place.workspace.team, item.user))
        except UnknownRun:
            return item.text
        return record.text


def _said(message: Mapping[str, Any], place: Place) -> _Said | None:
    """None for what is no part of the conversation: joins, other bots, the bot's own buttons and notices."""
    if message.get("subtype") not in _SPOKEN or "ts" not in message:
        return None
    text = plain(str(message.get("text", "")), place.workspace.bot_user)
    ts = str(message["ts"])
    if message.get("bot_id") == place.workspace.bot_id or message.get("user") == place.workspace.bot_user:
        return _own(message, ts, text)
    if message.get("bot_id") or not message.get("user"):
        return None
    return _Said(ts, text, shared_files(message))


def _own(message: Mapping[str, Any], ts: str, text: str) -> _Said | None:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") == ANSWER_EVENT:
        return _Said(ts, text, run=str(payload.get("run", "")), user=str(payload.get("user", "")))
    if metadata.get("event_type") == CHOICE_EVENT:
        return _Said(ts, str(payload.get("choice", "")))
    return None


def shared_files(message: Mapping[str, Any]) -> tuple[SharedFile, ...]:
    """The files of a message, as Slack describes them."""
    return tuple(
        SharedFile(
            name=str(file.get("name") or file.get("title") or ""),
            media_type=str(file.get("mimetype") or "application/octet-stream"),
            size=int(file.get("size") or 0),
            url=str(file.get("url_private_download") or file.get("url_private") or ""),
            mode=str(file.get("mode") or "hosted"),
        )
        for file in message.get("files") or ()
        if isinstance(file, Mapping)
    )
