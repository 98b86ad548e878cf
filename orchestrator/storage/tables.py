"""The tables. A change here needs a revision in ``migrations/versions``; a test compares the two."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, DateTime, Float, ForeignKey, Index, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """Constraints have fixed names, because a migration can only alter what it can name."""

    metadata = MetaData(naming_convention=_NAMES)


class KeyRow(Base):
    """An API key; only the digest of the plain key is stored. Times are Unix seconds."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(8))
    may_see_reasoning: Mapped[bool] = mapped_column(Boolean)
    runs_per_minute: Mapped[int | None] = mapped_column(Integer)
    concurrent_runs: Mapped[int | None] = mapped_column(Integer)
    tools: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created: Mapped[float] = mapped_column(Float(53))
    revoked: Mapped[float | None] = mapped_column(Float(53))


class RunRow(Base):
    """A run and its outcome: what was asked, the route it took, what came of it."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_owner_created_id", "owner", "created", "id"),
        Index("ix_runs_owner_thread", "owner", "thread"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    thread: Mapped[str | None] = mapped_column(String(128))
    status: Mapped[str] = mapped_column(String(16), index=True)
    created: Mapped[float] = mapped_column(Float(53))
    updated: Mapped[float] = mapped_column(Float(53))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    route: Mapped[str | None] = mapped_column(String(200))
    strategy: Mapped[str | None] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    value: Mapped[str | None] = mapped_column(Text)
    ledger: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    difficulty: Mapped[float | None] = mapped_column(Float(53))
    form: Mapped[str | None] = mapped_column(String(16))
    supported: Mapped[bool | None] = mapped_column(Boolean)
    error: Mapped[str | None] = mapped_column(Text)
    lesson: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class ThreadRow(Base):
    """What later requests of a conversation inherit. The owner is part of the key: two owners may use one id."""

    __tablename__ = "threads"
    __table_args__ = (Index("ix_threads_owner_digest", "owner", "digest"),)

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    run: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    difficulty: Mapped[float | None] = mapped_column(Float(53))
    form: Mapped[str | None] = mapped_column(String(16))
    route: Mapped[str | None] = mapped_column(String(200))
    updated: Mapped[float] = mapped_column(Float(53))


class ConversationRow(Base):
    """A conversation of the chat UI; what was said in it is in its turns. ``updated`` is the time of its last turn."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_owner_updated_id", "owner", "updated", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    created: Mapped[float] = mapped_column(Float(53))
    updated: Mapped[float] = mapped_column(Float(53))


class TurnRow(Base):
    """A question, or the answer that ``run`` gives to it; an answer's text is that of its run and stored nowhere else.

    ``parent`` is the turn before it: turns with the same parent are branches.
    """

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_conversation_created", "conversation", "created"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    parent: Mapped[str | None] = mapped_column(String(32))
    role: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text)
    created: Mapped[float] = mapped_column(Float(53))
    run: Mapped[str | None] = mapped_column(String(64), index=True)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)


class FeedbackRow(Base):
    """What the owner of a run thinks of its answer: ``rating`` 1 or -1."""

    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_owner_created", "owner", "created"),)

    run: Mapped[str] = mapped_column(String(64), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    rating: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(Text)
    created: Mapped[float] = mapped_column(Float(53))


class PlaybookRow(Base):
    """An entry of the playbook as it last was, to fill Redis with after a loss. The owner is part of the key: an entry
    that two owners have, because one of them exported it, is two."""

    __tablename__ = "playbook"

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    entry: Mapped[dict[str, Any]] = mapped_column(JSON)
    updated: Mapped[float] = mapped_column(Float(53))


class PlaybookOutcomeRow(Base):
    """That an entry, as it is stored, has an outcome of that run, its own or one of a trial on its question."""

    __tablename__ = "playbook_outcomes"
    __table_args__ = (Index("ix_playbook_outcomes_owner_run", "owner", "run"),)

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry: Mapped[str] = mapped_column(String(32), primary_key=True)
    run: Mapped[str] = mapped_column(String(64), primary_key=True)


class SessionRow(Base):
    """A browser that is logged in with a key; ``digest`` is that of its cookie, which is stored nowhere."""

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), index=True)
    created: Mapped[float] = mapped_column(Float(53))
    expires: Mapped[float] = mapped_column(Float(53), index=True)


class _SlackInstalled:
    """What Slack's own installation store keeps in both of its tables; it reads and writes them itself, and wants
    times in UTC without a zone."""

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(32))
    app_id: Mapped[str] = mapped_column(String(32))
    enterprise_id: Mapped[str | None] = mapped_column(String(32))
    enterprise_name: Mapped[str | None] = mapped_column(String(200))
    team_id: Mapped[str | None] = mapped_column(String(32))
    team_name: Mapped[str | None] = mapped_column(String(200))
    bot_token: Mapped[str | None] = mapped_column(String(200))
    bot_id: Mapped[str | None] = mapped_column(String(32))
    bot_user_id: Mapped[str | None] = mapped_column(String(32))
    bot_scopes: Mapped[str | None] = mapped_column(String(1000))
    bot_refresh_token: Mapped[str | None] = mapped_column(String(200))
    bot_token_expires_at: Mapped[datetime | None] = mapped_column(DateTime)
    is_enterprise_install: Mapped[bool] = mapped_column(Boolean)
    installed_at: Mapped[datetime] = mapped_column(DateTime)


class SlackBotRow(_SlackInstalled, Base):
    """The bot in a workspace, with its token."""

    __tablename__ = "slack_bots"
    __table_args__ = (Index("ix_slack_bots_team", "client_id", "enterprise_id", "team_id", "installed_at"),)


class SlackInstallationRow(_SlackInstalled, Base):
    """Who installed the bot in a workspace."""

    __tablename__ = "slack_installations"
    __table_args__ = (
        Index("ix_slack_installations_team", "client_id", "enterprise_id", "team_id", "user_id", "installed_at"),
    )

    enterprise_url: Mapped[str | None] = mapped_column(String(200))
    user_id: Mapped[str] = mapped_column(String(32))
    user_token: Mapped[str | None] = mapped_column(String(200))
    user_scopes: Mapped[str | None] = mapped_column(String(1000))
    user_refresh_token: Mapped[str | None] = mapped_column(String(200))
    user_token_expires_at: Mapped[datetime | None] = mapped_column(DateTime)
    incoming_webhook_url: Mapped[str | None] = mapped_column(String(200))
    incoming_webhook_channel: Mapped[str | None] = mapped_column(String(200))
    incoming_webhook_channel_id: Mapped[str | None] = mapped_column(String(200))
    incoming_webhook_configuration_url: Mapped[str | None] = mapped_column(String(200))
    token_type: Mapped[str | None] = mapped_column(String(32))
