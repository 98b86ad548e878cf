"""What a key's maker and holder rely on."""

from pathlib import Path

import pytest

from orchestrator.storage.database import Database
from orchestrator.storage.keys import UnknownKey


async def test_a_made_key_is_verified_with_its_rights_and_limits(database: Database) -> None:
    made = await database.create_key("laptop", may_see_reasoning=False, runs_per_minute=5, concurrent_runs=2)
    key = await database.verify_key(made.plain)
    assert made.plain.startswith("tandem-")
    assert key == made.key
    assert (key.may_see_reasoning, key.runs_per_minute, key.concurrent_runs) == (False, 5, 2)


async def test_an_altered_key_is_not_verified(database: Database) -> None:
    made = await database.create_key("laptop")
    last = "A" if made.plain[-1] != "A" else "B"
    for wrong in (made.plain[:-1] + last, made.plain + " ", made.plain.upper(), "", "tandem-", "\udc80"):
        assert await database.verify_key(wrong) is None


async def test_a_revoked_key_is_refused_listed_and_not_revoked_twice(database: Database) -> None:
    made = await database.create_key("laptop")
    await database.revoke_key(made.key.id)
    assert await database.verify_key(made.plain) is None
    assert next(key for key in await database.list_keys() if key.id == made.key.id).revoked is not None
    with pytest.raises(UnknownKey, match=made.key.id):
        await database.revoke_key(made.key.id)


async def test_revoking_the_last_key_does_not_open_the_service_again(tmp_path: Path) -> None:
    async with Database.open(f"sqlite:///{tmp_path / 'tandem.db'}") as database:
        assert not await database.any_key()
        made = await database.create_key("laptop")
        await database.revoke_key(made.key.id)
        assert await database.any_key()


async def test_the_plain_key_is_nowhere_in_the_files_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    async with Database.open(f"sqlite:///{tmp_path / 'tandem.db'}") as database:
        secret = (await database.create_key("laptop")).plain.removeprefix("tandem-")
        assert not any(secret.encode() in content for content in _contents(tmp_path))
    assert (tmp_path / "tandem.db").stat().st_mode & 0o077 == 0


def _contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir() if path.is_file()]
