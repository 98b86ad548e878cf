"""The tables. A change here needs a revision in ``migrations/versions``; a test compares the two."""

from typing import Any

from sqlalchemy import JSON, Boolean, Float, Index, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
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
    error: Mapped[str | None] = mapped_column(Text)


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
