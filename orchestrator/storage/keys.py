"""API keys: made, listed, revoked, verified. The plain key leaves ``create_key`` once and is stored nowhere."""

import hashlib
import hmac
import secrets
import time

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from orchestrator.storage.records import ApiKey, CreatedKey
from orchestrator.storage.tables import KeyRow

PREFIX = "tandem-"


class UnknownKey(LookupError):
    """No key of that id is in force."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no key {key!r} is in force; `tandem keys list` shows those that are")


class Keys:
    """The table of keys.

    A plain SHA-256 is enough here, unlike for passwords: the secret is 256 random bits, which nobody can guess
    their way through, however fast the hash.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._session = async_sessionmaker(engine, expire_on_commit=False)

    async def create_key(
        self,
        name: str,
        may_see_reasoning: bool = True,
        runs_per_minute: int | None = None,
        concurrent_runs: int | None = None,
        tools: tuple[str, ...] | None = None,
    ) -> CreatedKey:
        """Make a key. Limits and tools of None follow the settings."""
        secret = secrets.token_urlsafe(32)
        row = KeyRow(
            id=f"key_{secrets.token_hex(8)}",
            name=name,
            digest=_digest(PREFIX + secret),
            hint=secret[:4],
            may_see_reasoning=may_see_reasoning,
            runs_per_minute=runs_per_minute,
            concurrent_runs=concurrent_runs,
            tools=None if tools is None else list(tools),
            created=time.time(),
            revoked=None,
        )
        async with self._session.begin() as session:
            session.add(row)
        return CreatedKey(key=_key(row), plain=PREFIX + secret)

    async def list_keys(self) -> list[ApiKey]:
        """Every key, revoked ones too, oldest first."""
        async with self._session() as session:
            rows = await session.scalars(select(KeyRow).order_by(KeyRow.created, KeyRow.id))
            return [_key(row) for row in rows]

    async def revoke_key(self, key: str) -> None:
        """Put a key out of force, by its id. Raises ``UnknownKey``."""
        statement = update(KeyRow).where(KeyRow.id == key, KeyRow.revoked.is_(None)).values(revoked=time.time())
        async with self._session.begin() as session:
            found = await session.scalars(statement.returning(KeyRow.id))
            if found.first() is None:
                raise UnknownKey(key)

    async def allowed_tools(self, owner: str) -> tuple[str, ...] | None:
        """The tools of the key with the id ``owner``; None for a key without a list and for owners without a key."""
        async with self._session() as session:
            row = await session.scalar(select(KeyRow).where(KeyRow.id == owner))
        return None if row is None or row.tools is None else tuple(row.tools)

    async def verify_key(self, plain: str) -> ApiKey | None:
        """The key in force whose plain text is ``plain``, or None."""
        digest = _digest(plain)
        async with self._session() as session:
            row = await session.scalar(select(KeyRow).where(KeyRow.digest == digest))
        if row is None or row.revoked is not None or not hmac.compare_digest(row.digest, digest):
            return None
        return _key(row)

    async def any_key(self) -> bool:
        """Whether a key was ever made. Revoking the last one must not open the service to everybody again."""
        async with self._session() as session:
            return bool(await session.scalar(select(exists().select_from(KeyRow))))


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: KeyRow) -> ApiKey:
    return ApiKey.model_validate(row, from_attributes=True)
