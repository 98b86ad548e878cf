"""Runs and threads as they are stored, and who may read them."""

import asyncio
import time
from uuid import uuid4

import pytest

from orchestrator.runs import RunRecord, RunRequest, UnknownRun
from orchestrator.storage.database import Database
from orchestrator.storage.records import Outcome, ThreadRecord
from orchestrator.storage.thread_store import conversation_digest
from workers.ledger import LedgerSummary
from workers.messages import Message
from workers.usage import Usage

LEDGER = LedgerSummary(tokens={"small": Usage(prompt=7, completion=3)}, calls=1, seconds=0.5, money=0.0, spent=None)


def record(owner: str, created: float | None = None) -> RunRecord:
    request = RunRequest(owner=owner, messages=(Message(role="user", content="7 × 6? 🙂"),), tools=({"a": 1},))
    created = time.time() if created is None else created
    return RunRecord(id=uuid4().hex, owner=owner, status="running", request=request, created=created)


async def test_a_run_is_read_back_as_it_was_last_stored(database: Database) -> None:
    begun = record("ada")
    await database.save_run(begun)
    assert await database.get_run(begun.id, "ada") == begun
    ended = begun.model_copy(
        update={"status": "answered", "route": "cot(small)", "text": "42", "value": "42", "ledger": LEDGER}
    )
    await database.save_run(ended, Outcome(strategy="cot", difficulty=0.25, form="number"))
    assert await database.get_run(begun.id, "ada") == ended
    assert (await database.get_outcome(begun.id, "ada")).difficulty == 0.25


async def test_storing_a_run_without_its_outcome_keeps_the_outcome(database: Database) -> None:
    run = record("ada")
    await database.save_run(run, Outcome(strategy="cot"))
    await database.save_run(run.model_copy(update={"status": "cancelled"}))
    assert (await database.get_outcome(run.id, "ada")).strategy == "cot"


async def test_nobody_reads_lists_or_deletes_another_owners_run(database: Database) -> None:
    run = record("ada")
    await database.save_run(run)
    for attempt in (database.get_run, database.get_outcome, database.delete_run):
        with pytest.raises(UnknownRun):
            await attempt(run.id, "eve")
    assert await database.list_runs("eve") == []
    with pytest.raises(UnknownRun):
        await database.list_runs("eve", before=run.id)
    assert await database.get_run(run.id, "ada") == run


async def test_a_stored_run_cannot_be_given_to_another_owner(database: Database) -> None:
    run = record("ada")
    await database.save_run(run)
    await database.save_run(run.model_copy(update={"owner": "eve"}))
    with pytest.raises(UnknownRun):
        await database.get_run(run.id, "eve")


async def test_pages_of_the_list_cover_every_run_once_newest_first(database: Database) -> None:
    owner = uuid4().hex
    runs = [record(owner, created=1000.0 + number // 2) for number in range(7)]
    for run in runs:
        await database.save_run(run)
    seen: list[RunRecord] = []
    while page := await database.list_runs(owner, 3, seen[-1].id if seen else None):
        seen += page
    assert sorted(run.id for run in seen) == sorted(run.id for run in runs)
    assert [run.created for run in seen] == sorted((run.created for run in runs), reverse=True)


async def test_many_writers_at_once_lose_nothing(database: Database) -> None:
    runs = [record("ada") for _ in range(40)]
    await asyncio.gather(*(database.save_run(run) for run in runs))
    assert {run.id for run in runs} <= {run.id for run in await database.unfinished_runs()}


async def test_a_thread_is_found_by_id_by_its_last_run_and_by_what_was_said(database: Database) -> None:
    messages = [Message(role="user", content="hi"), Message(role="assistant", content=uuid4().hex)]
    digest = conversation_digest(messages)
    thread = ThreadRecord(owner="ada", id=uuid4().hex, run=uuid4().hex, digest=digest, difficulty=0.7)
    await database.save_thread(thread)
    assert await database.get_thread(thread.id, "ada") == thread
    assert await database.get_thread(thread.run, "ada") == thread
    assert await database.find_thread(digest, "ada") == thread
    assert await database.get_thread(thread.id, "eve") is None
    assert await database.find_thread(digest, "eve") is None


async def test_two_owners_may_use_one_thread_id(database: Database) -> None:
    for owner, difficulty in (("ada", 0.1), ("eve", 0.9)):
        await database.save_thread(ThreadRecord(owner=owner, id="t", run=owner, digest="d", difficulty=difficulty))
    stored = await database.get_thread("t", "ada")
    assert stored is not None
    assert stored.difficulty == 0.1
