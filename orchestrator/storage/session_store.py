"""Browsers that are logged in: a random cookie, of which only the digest is stored, stands for a key."""

import hashlib
import secrets
import time

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from orchestrator.storage.records import ApiKey
from orchestrator.storage.tables import KeyRow, SessionRow

_KEPT_PER_KEY = 50


class SessionStore:
    """The table of sessions. A session ends when it expires, when its browser logs out, and with its key."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)

    async def create_session(self, key: str, seconds: float) -> str:
        """The cookie of a new session for the key of that id. A key's oldest sessions make room for new ones."""
        cookie = secrets.token_urlsafe(32)
        now = time.time()
        newest = (
            select(SessionRow.digest)
            .where(SessionRow.key == key)
            .order_by(SessionRow.created.desc())
            .limit(_KEPT_PER_KEY - 1)
        )
        async with self._session.begin() as session:
            await session.execute(delete(SessionRow).where(SessionRow.expires <= now))
            kept = list(await session.scalars(newest))
            await session.execute(delete(SessionRow).where(SessionRow.key == key, SessionRow.digest.not_in(kept)))
            session.add(SessionRow(digest=_digest(cookie), key=key, created=now, expires=now + seconds))
        return cookie

    async def verify_session(self, cookie: str) -> ApiKey | None:
        """The key that the cookie stands for, or None where it expired or the key was revoked."""
        query = (
            select(KeyRow)
            .join(SessionRow, SessionRow.key == KeyRow.id)
            .where(SessionRow.digest == _digest(cookie), SessionRow.expires > time.time(), KeyRow.revoked.is_(None))
        )
        async with self._session() as session:
            row = await session.scalar(query)
        return None if row is None else ApiKey.model_validate(row, from_attributes=True)

    async def end_session(self, cookie: str) -> None:
        """It is no error if there is none."""
        async with self._session.begin() as session:
            await session.execute(delete(SessionRow).where(SessionRow.digest == _digest(cookie)))


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
