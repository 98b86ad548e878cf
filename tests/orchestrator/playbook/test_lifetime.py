"""How long what was learned lives, in a real Redis."""

import pytest
from redis.asyncio import Redis

from orchestrator.playbook.entry import Entry
from orchestrator.playbook.keys import keys_of
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.recollection import Asked
from orchestrator.playbook.topics import whole
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from tests.orchestrator.playbook.building import recipe
from tests.waiting import eventually_async

_QUESTION = "I have {} apples, {} plums and a pear. How many fruits do I have?"
_SECONDS = 3


@pytest.fixture
def brief(settings: Settings, redis: Redis, embedder: WordEmbedder) -> PlaybookParts:
    """Where everything expires after a few seconds."""
    soon = settings.model_copy(update={"playbook": PlaybookSettings(days=_SECONDS / 86_400)})
    return build_parts(soon, redis, embedder, build_strategies(soon))


async def _asked_about(parts: PlaybookParts, owner: str, times: int) -> str:
    for n in range(times):
        topic = await parts.topics.assign(owner, _QUESTION.format(n, n), "number", run=f"run{n}")
        await parts.records.add(owner, f"run{n}", topic, {"seen": 1}, [], f"run{n}")
    return topic


async def _promoted(parts: PlaybookParts, owner: str, topic: str) -> Entry:
    problem = _QUESTION.format(0, 0)
    entry = recipe(owner, topic=topic, problem=problem, pair=parts.pair, version=parts.version, status="promoted")
    await parts.entries.put(entry)
    return entry


async def _recalled(parts: PlaybookParts, owner: str) -> list[str]:
    given = await parts.recall.look_up(Asked(owner=owner, question=_QUESTION.format(7, 8), form="number"))
    return [entry.id for entry in given.used]


async def _all_but_over(redis: Redis, owner: str) -> None:
    """As after a long time: what is not used again now will be gone in a moment."""
    async for key in redis.scan_iter(match=f"{keys_of(owner).prefix}:*"):
        if await redis.ttl(key) > 0:
            await redis.pexpire(key, _SECONDS * 1000)
    await redis.set("the moment", "1", px=_SECONDS * 1000)


async def _over(redis: Redis) -> None:
    async def gone() -> bool:
        return not await redis.exists("the moment")

    await eventually_async(gone)


@pytest.mark.parametrize("times", [1, 3], ids=["of a whole form", "of a topic"])
async def test_what_is_promoted_stays_while_its_topic_is_asked_about(
    parts: PlaybookParts, redis: Redis, owner: str, times: int
) -> None:
    topic = await _asked_about(parts, owner, times)
    entry = await _promoted(parts, owner, topic)
    await _all_but_over(redis, owner)
    again = await parts.topics.assign(owner, _QUESTION.format(5, 5), "number", topic, run="later")
    await parts.records.add(owner, "later", again, {"seen": 1}, [])  # and nobody knows whether it was right
    await _over(redis)
    assert again == topic
    assert await _recalled(parts, owner) == [entry.id]
    assert await parts.entries.search(owner, entry.problem)
    assert (await parts.entries.entries(owner)).entries != ()


@pytest.mark.parametrize("times", [1, 3], ids=["of a whole form", "of a topic"])
async def test_a_pinned_entry_is_recalled_for_ever(brief: PlaybookParts, redis: Redis, owner: str, times: int) -> None:
    entry = await _promoted(brief, owner, await _asked_about(brief, owner, times))
    other = await _promoted(brief, "somebody else", await _asked_about(brief, "somebody else", times))
    await brief.entries.pin(owner, entry.id)
    await brief.entries.set_status(owner, entry.id, "disabled")
    await brief.entries.revalue(entry)
    await _expired(redis, other)
    await brief.entries.set_status(owner, entry.id, "candidate")
    await brief.entries.set_status(owner, entry.id, "promoted")
    assert await _recalled(brief, owner) == [entry.id]
    await brief.entries.pin(owner, entry.id, False)
    await _expired(redis, entry)
    assert await _recalled(brief, owner) == []
    left = [key async for key in redis.scan_iter(match="*tandem:playbook*") if await redis.ttl(key) < 0]
    assert left == [], "what nobody uses goes, the indexes too"


async def test_a_topic_that_was_forgotten_begins_anew(parts: PlaybookParts, redis: Redis, owner: str) -> None:
    topic = await _asked_about(parts, owner, 3)
    await redis.delete(keys_of(owner).topic(topic))
    question = _QUESTION.format(9, 9)
    assert await parts.topics.assign(owner, question, "number", run="later") == topic
    known = await parts.topics.get(owner, topic)
    assert known is not None and (known.problem, known.seen) == (question, 0)


async def test_the_topic_of_a_pinned_entry_keeps_its_place(
    redis: Redis, embedder: WordEmbedder, parts: PlaybookParts, owner: str
) -> None:
    parts.topics._bound = 2
    pinned = recipe(owner, topic="f" * 32, problem=_QUESTION.format(1, 2), pinned=True)
    await parts.entries.put(pinned)
    for entry in (
        pinned,
        recipe(owner, topic="a" * 32, problem="Sum the prime factors of 91."),
        recipe(owner, topic="b" * 32, problem="A train travels 3 hours at 50 km per hour. How far does it get?"),
    ):
        await parts.topics.restore(entry)
    assert await parts.topics.find(owner, pinned.problem, "number") == pinned.topic
    assert await parts.topics.find(owner, "Sum the prime factors of 91.", "number") is None


async def test_a_question_that_is_counted_again_is_still_one_question(parts: PlaybookParts, owner: str) -> None:
    for run in ("run0", "run0", "run1", "run1"):
        found = await parts.topics.assign(owner, _QUESTION.format(1, 2), "number", run=run)
        assert found == whole("number")
    assert await parts.topics.assign(owner, _QUESTION.format(1, 2), "number", run="run2") != whole("number")


async def _expired(redis: Redis, entry: Entry) -> None:
    keys = keys_of(entry.owner)

    async def gone() -> bool:
        return not await redis.exists(keys.topic(entry.topic), keys.topics, keys.entry(entry.id))

    await eventually_async(gone)
