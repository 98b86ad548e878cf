"""Exploring runs, from recall to promotion, with outcomes drawn by chance and everything kept in a real Redis."""

import random
from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from orchestrator.playbook.archived import NoArchive
from orchestrator.playbook.entry import Entry
from orchestrator.playbook.evidence import Stakes
from orchestrator.playbook.learner import Learner, Told
from orchestrator.playbook.lesson import Lesson
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.recollection import Asked
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from tests.orchestrator.playbook.building import recipe

_QUESTION = "I have {} apples, {} plums and a pear. How many fruits do I have?"


@pytest.fixture
def bold(settings: Settings, redis: Redis, embedder: WordEmbedder) -> PlaybookParts:
    explore = PlaybookSettings(explore=1.0, recall_milliseconds=5000)
    return build_parts(settings.model_copy(update={"playbook": explore}), redis, embedder, build_strategies(settings))


async def _explored(parts: PlaybookParts, entry: Entry, runs: int, right: Callable[[bool], float], seed: int) -> Entry:
    """What has become of a candidate after ``runs`` questions, or when it was promoted or demoted. ``right`` is the
    chance of a right answer with and without it; it costs a third of the default."""
    learner, chance = Learner(parts, NoArchive(), Stakes(), {}), random.Random(seed)
    for number in range(runs):
        question = _QUESTION.format(number, 2 * number)
        asked = Asked(owner=entry.owner, question=question, form="number", run=f"run{number}", may_explore=True)
        given = await parts.recall.look_up(asked)
        used = given.advice is not None
        told = Told(
            run=f"run{number}",
            owner=entry.owner,
            question=question,
            form="number",
            route="cot(small)" if used else "program(large)",
            won=float(chance.random() < right(used)),
            writer="small" if used else "large",
            writer_won=None,
            tokens=50 if used else 150,
            cost=40.0 if used else 120.0,
            lesson=Lesson(
                topic=given.topic,
                used=tuple(each.id for each in given.used),
                on_trial=given.on_trial,
                writer="small" if used else "large",
                first="12",
            ),
        )
        learned = await learner.learn(told)
        if learned.changed:
            break
        if number == 5:
            fitting = {"topic": learned.topic, "problem": _QUESTION.format(0, 0), "pair": parts.pair}
            await parts.entries.put(entry.model_copy(update={**fitting, "version": parts.version}))
    return await parts.entries.get(entry.owner, entry.id)


async def test_a_good_candidate_is_promoted_and_the_default_is_known_from_the_runs_without_it(
    bold: PlaybookParts, owner: str
) -> None:
    entry = await _explored(bold, recipe(owner, "cot(small)"), 400, lambda used: 0.95 if used else 0.7, seed=1)
    assert entry.status == "promoted"
    topic = await bold.topics.get(owner, entry.topic)
    assert topic is not None
    assert topic.cost / topic.trials == 120.0
    assert entry.cost / entry.trials == 40.0
    assert abs(entry.trials - entry.evidence.compared / 2) < entry.evidence.compared / 3


async def test_a_bad_candidate_is_demoted_though_it_saves(bold: PlaybookParts, owner: str) -> None:
    entry = await _explored(bold, recipe(owner, "cot(small)"), 400, lambda used: 0.2 if used else 0.8, seed=2)
    assert entry.status == "demoted"
    assert entry.evidence.edge < 0
