"""Kinds of problems, told apart in a real Redis."""

import asyncio

import pytest

from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.topics import Topics, whole
from tests.orchestrator.playbook.building import recipe

_FRUIT = "I have {} apples, {} plums and a pear. How many fruits do I have?"
_SHY = "Wren is a wumpus. Every wumpus is not shy. Each impus is {}. True or false: Wren is shy."


@pytest.fixture
def topics(parts: PlaybookParts) -> Topics:
    return parts.topics


async def test_a_topic_begins_with_the_third_question_of_its_kind(topics: Topics, owner: str) -> None:
    found = [await topics.assign(owner, _FRUIT.format(n, n + 1), "number") for n in range(5)]
    assert found[:2] == [whole("number")] * 2
    assert found[2] == found[3] == found[4] != whole("number")
    assert await topics.find(owner, _FRUIT.format(70, 80), "number") == found[4]
    assert await topics.find(owner, _FRUIT.format(70, 80), "expression") is None


async def test_kinds_are_kept_apart_and_the_unfamiliar_is_none_of_them(topics: Topics, owner: str) -> None:
    fruit = [await topics.assign(owner, _FRUIT.format(n, n), "number") for n in range(4)]
    shy = [await topics.assign(owner, _SHY.format(word), "yes-no") for word in ("red", "tall", "loud", "wise")]
    assert fruit[-1] != shy[-1]
    assert await topics.find(owner, "Is the capital of France on the Seine? Answer yes or no.", "yes-no") is None
    assert await topics.find("somebody else", _FRUIT.format(1, 1), "number") is None


async def test_a_topic_counts_its_candidates_once_each(topics: Topics, owner: str) -> None:
    ranks = await asyncio.gather(*(topics.next_rank(owner, "any-number", "recipe") for _ in range(10)))
    assert sorted(ranks) == list(range(1, 11))


async def test_the_longest_unseen_go_when_there_is_no_room(parts: PlaybookParts, owner: str) -> None:
    few = Topics(parts.topics._redis, parts.topics._embedder, bound=3)
    questions = [
        "A train travels 3 hours at 50 km per hour. How far does it get?",
        "Sum the prime factors of 91.",
        "Wool costs 4 dollars a ball; what do 9 balls cost?",
        "How many litres fill a tank of 2 by 3 by 4 metres?",
        "Roll a fair die twice: what is the chance of two sixes?",
    ]
    for question in questions:
        await few.assign(owner, question, "number")
    assert await parts.topics.find(owner, questions[0], "number") is None
    assert await parts.topics.find(owner, questions[-1], "number") == whole("number")


async def test_a_topic_is_restored_under_its_own_name(topics: Topics, owner: str) -> None:
    entry = recipe(owner, topic="f" * 32, problem=_FRUIT.format(1, 2), rank=4)
    await topics.restore(entry)
    await topics.keep_rank(entry)
    assert await topics.find(owner, _FRUIT.format(8, 9), "number") == "f" * 32
    await topics.keep_rank(entry.model_copy(update={"rank": 2}))
    assert await topics.next_rank(owner, "f" * 32, "recipe") == 5
