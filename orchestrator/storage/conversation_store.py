"""Conversations and their turns. Every statement names the owner, so that no caller can forget to check it."""

import time
import uuid
from collections.abc import Sequence

from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.sql.elements import ColumnElement

from orchestrator.storage.records import Conversation, StoredTurn
from orchestrator.storage.tables import ConversationRow, RunRow, TurnRow


class UnknownConversation(LookupError):
    """No conversation of that id belongs to that owner; which of the two it is stays untold."""

    def __init__(self, conversation: str) -> None:
        super().__init__(f"you have no conversation {conversation[:80]!r}; GET /v1/conversations lists those you have")


class BadCursor(ValueError):
    """A cursor that no page of conversations gave out."""


class ConversationStore:
    """The tables of conversations and turns."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)

    async def create_conversation(self, owner: str, title: str = "") -> Conversation:
        now = time.time()
        row = ConversationRow(id=uuid.uuid4().hex, owner=owner, title=title, created=now, updated=now)
        async with self._session.begin() as session:
            session.add(row)
        return _conversation(row)

    async def get_conversation(self, conversation: str, owner: str) -> Conversation:
        """Raises ``UnknownConversation``."""
        async with self._session() as session:
            row = await session.scalar(select(ConversationRow).where(_own(conversation, owner)))
        if row is None:
            raise UnknownConversation(conversation)
        return _conversation(row)

    async def list_conversations(
        self, owner: str, limit: int, search: str = "", before: str | None = None
    ) -> tuple[list[Conversation], str | None]:
        """A page of the owner's conversations, the latest turn first, and the cursor of the next page if there is one.

        ``search`` is looked for in titles, questions and answers, whatever the case. Raises ``BadCursor``.
        """
        query = select(ConversationRow).where(ConversationRow.owner == owner)
        if search:
            # Postgres cannot look for it, and no text has it.
            search = search.replace("\0", "")
            query = query.where(_mentions(search))
        if before is not None:
            updated, identifier = _mark(before)
            tied = and_(ConversationRow.updated == updated, ConversationRow.id < identifier)
            query = query.where(or_(ConversationRow.updated < updated, tied))
        query = query.order_by(ConversationRow.updated.desc(), ConversationRow.id.desc()).limit(limit + 1)
        async with self._session() as session:
            found = [_conversation(row) for row in await session.scalars(query)]
        page = found[:limit]
        return page, _cursor(page[-1]) if len(found) > limit else None

    async def rename_conversation(self, conversation: str, owner: str, title: str) -> Conversation:
        """Raises ``UnknownConversation``."""
        statement = update(ConversationRow).where(_own(conversation, owner)).values(title=title)
        async with self._session.begin() as session:
            row = await session.scalar(statement.returning(ConversationRow))
        if row is None:
            raise UnknownConversation(conversation)
        return _conversation(row)

    async def delete_conversation(self, conversation: str, owner: str) -> None:
        """Forget a conversation and its turns. Raises ``UnknownConversation``."""
        statement = delete(ConversationRow).where(_own(conversation, owner)).returning(ConversationRow.id)
        async with self._session.begin() as session:
            if (await session.scalars(statement)).first() is None:
                raise UnknownConversation(conversation)

    async def turns_of(self, conversation: str, owner: str) -> list[StoredTurn]:
        """The turns, a question before its answers; empty where the conversation is somebody else's."""
        owned = exists().where(_own(conversation, owner))
        query = select(TurnRow).where(TurnRow.conversation == conversation, owned)
        # A question and its first answer are stored at the same time.
        query = query.order_by(TurnRow.created, TurnRow.role.desc(), TurnRow.id)
        async with self._session() as session:
            return [StoredTurn.model_validate(row, from_attributes=True) for row in await session.scalars(query)]

    async def add_turns(self, conversation: str, owner: str, turns: Sequence[StoredTurn], title: str = "") -> None:
        """Add turns; ``title`` is taken where there is none yet. Raises ``UnknownConversation``, and adds nothing."""
        async with self._session.begin() as session:
            row = await session.scalar(select(ConversationRow).where(_own(conversation, owner)).with_for_update())
            if row is None:
                raise UnknownConversation(conversation)
            row.updated = max(turn.created for turn in turns)
            row.title = row.title or title
            session.add_all(TurnRow(**turn.model_dump()) for turn in turns)


def _own(conversation: str, owner: str) -> ColumnElement[bool]:
    if "\0" in conversation:  # Postgres cannot even be asked for it
        raise UnknownConversation(conversation)
    return and_(ConversationRow.id == conversation, ConversationRow.owner == owner)


def _mentions(search: str) -> ColumnElement[bool]:
    said = TurnRow.content.icontains(search, autoescape=True)
    answered = exists().where(
        RunRow.id == TurnRow.run, RunRow.owner == ConversationRow.owner, RunRow.text.icontains(search, autoescape=True)
    )
    in_turns = exists().where(TurnRow.conversation == ConversationRow.id, or_(said, answered))
    return or_(ConversationRow.title.icontains(search, autoescape=True), in_turns)


def _cursor(last: Conversation) -> str:
    return f"{last.updated!r}_{last.id}"


def _mark(cursor: str) -> tuple[float, str]:
    updated, _, identifier = cursor.partition("_")
    try:
        return float(updated), identifier
    except ValueError:
        raise BadCursor(cursor) from None


def _conversation(row: ConversationRow) -> Conversation:
    return Conversation.model_validate(row, from_attributes=True)
