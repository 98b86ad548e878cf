"""What a run is given, from a real Redis."""

import random
import time

import pytest
from redis.asyncio import Redis

from agents.events import Recalled
from orchestrator.playbook.choosing import choose, merit, sampled_rate
from orchestrator.playbook.entry import Entry, Recipe, Topic
from orchestrator.playbook.entry_hash import from_hash, to_hash
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.recollection import Asked, Recollection
from orchestrator.playbook.records import Part
from orchestrator.playbook.topic_hash import counted
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from routers.route import Route
from tests import processes
from tests.orchestrator.playbook.building import behaviour, example, recipe

_QUESTION = "I have {} apples, {} plums and a pear. How many fruits do I have?"


@pytest.fixture(autouse=True)
async def _loaded(embedder: WordEmbedder) -> None:
    await embedder.embed(["warm"])


async def _topic(parts: PlaybookParts, owner: str, **counts: float) -> str:
    for n in range(3):
        topic = await parts.topics.assign(owner, _QUESTION.format(n, n), "number")
    await parts.records.add(owner, "before", topic, {"seen": 3, **counts}, [])
    return topic


def _fitting(parts: PlaybookParts, owner: str, topic: str, **fields: object) -> dict[str, object]:
    problem = _QUESTION.format(0, 0)
    return {"owner": owner, "topic": topic, "pair": parts.pair, "version": parts.version, "problem": problem, **fields}


def _asked(owner: str, run: str | None = "run", question: str = _QUESTION.format(7, 8), explore: bool = False) -> Asked:
    return Asked(owner=owner, question=question, form="number", run=run, may_explore=explore)


async def test_a_promoted_recipe_is_given_for_its_kind_of_problem_only(parts: PlaybookParts, owner: str) -> None:
    topic = await _topic(parts, owner)
    entry = recipe(**_fitting(parts, owner, topic, status="promoted", trials=30, wins=29.0))
    await parts.entries.put(entry)
    given = await parts.recall.recall(_asked(owner, run=None))
    assert given.advice is not None
    assert given.advice.route == Route(strategy="program", models=("small",))
    assert "right in 29 of 30 such problems" in given.advice.reason
    unfamiliar = await parts.recall.recall(
        _asked(owner, question="What is the boiling point of iron in 5 bar and 6 bar?")
    )
    assert (unfamiliar.advice, unfamiliar.event()) == (None, None)
    assert (await parts.recall.recall(_asked("somebody else"))).event() is None


async def test_many_that_failed_do_not_hide_the_one_that_works(parts: PlaybookParts, owner: str) -> None:
    topic = await _topic(parts, owner)
    for _ in range(150):
        await parts.entries.put(recipe(**_fitting(parts, owner, topic, status="demoted")))
    works = recipe(**_fitting(parts, owner, topic))
    await parts.entries.put(works)
    await parts.entries.set_status(owner, works.id, "promoted")
    given = await parts.recall.recall(_asked(owner, run=None))
    assert [entry.id for entry in given.used] == [works.id]
    for status in ("disabled", "demoted"):
        await parts.entries.set_status(owner, works.id, status)
        assert (await parts.recall.recall(_asked(owner, run=None))).used == ()
    await parts.entries.put(works.model_copy(update={"status": "promoted"}))
    await parts.entries.delete(owner, works.id)
    assert (await parts.recall.recall(_asked(owner, run=None))).used == ()


@pytest.mark.parametrize(
    "misfit",
    [
        Recipe(strategy="entropy", models=("small",)),
        Recipe(strategy="entropy", models=("small", "small")),
        Recipe(strategy="entropy", models=("small", "large"), options={"nonsense": 1}),
        Recipe(strategy="entropy", models=("small", "large"), instruction="Count every item once."),
        Recipe(strategy="program", models=("small", "large")),
        Recipe(strategy="program", models=("small",), options={"nonsense": 1}),
        Recipe(strategy="code", models=("small",)),
        Recipe(strategy="of_another_server", models=("small",)),
        Recipe(strategy="program", models=("huge",)),
    ],
    ids=lambda misfit: misfit.name,
)
async def test_a_recipe_that_cannot_be_served_here_gives_way_to_one_that_can(
    parts: PlaybookParts, owner: str, misfit: Recipe
) -> None:
    topic = await _topic(parts, owner)
    imported = recipe(recipe=misfit, **_fitting(parts, owner, topic, status="promoted", trials=90, wins=90.0))
    own = recipe(**_fitting(parts, owner, topic, status="promoted", trials=30, wins=20.0))
    for entry in (imported, own):
        await parts.entries.put(entry)
    given = await parts.recall.recall(_asked(owner, run=None))
    assert [entry.id for entry in given.used] == [own.id]
    await parts.entries.delete(owner, own.id)
    assert (await parts.recall.recall(_asked(owner, run=None))).advice is None


@pytest.mark.parametrize("field", ["pair", "version"])
async def test_what_was_measured_with_other_models_or_prompts_is_not_used(
    parts: PlaybookParts, owner: str, field: str
) -> None:
    topic = await _topic(parts, owner)
    await parts.entries.put(recipe(**_fitting(parts, owner, topic, status="promoted", **{field: "another"})))
    assert (await parts.recall.recall(_asked(owner))).advice is None


async def test_candidates_are_left_alone_unless_a_run_explores(
    settings: Settings, redis: Redis, embedder: WordEmbedder, parts: PlaybookParts, owner: str
) -> None:
    topic = await _topic(parts, owner)
    await parts.entries.put(recipe(**_fitting(parts, owner, topic)))
    timid = [await parts.recall.recall(_asked(owner, f"run{n}", explore=True)) for n in range(20)]
    assert all(each.event() is None for each in timid)
    bold = settings.model_copy(update={"playbook": PlaybookSettings(explore=1.0, recall_milliseconds=5000)})
    recall = build_parts(bold, redis, embedder, build_strategies(bold)).recall
    tried = [await recall.recall(_asked(owner, f"run{n}", explore=True)) for n in range(40)]
    assert all(each.on_trial is not None and each.on_trial.share == 0.5 for each in tried)
    used = [each for each in tried if each.advice is not None]
    assert 8 < len(used) < 32
    assert all(each.advice is not None and not each.advice.proven for each in used)
    again = await recall.recall(_asked(owner, "run0", explore=True))
    assert again == tried[0]  # a run that is resumed takes the same way
    assert (await recall.recall(_asked(owner, "run0", explore=False))).event() is None


async def test_behaviours_go_to_the_small_model_only_where_it_does_badly(parts: PlaybookParts, owner: str) -> None:
    topic = await _topic(parts, owner, **counted("writer", "small", 9, 10))
    entry = behaviour(**_fitting(parts, owner, topic, status="promoted"))
    await parts.entries.put(entry)
    assert (await parts.recall.recall(_asked(owner, run=None))).writers == ("large",)
    await parts.records.add(owner, "more", topic, counted("writer", "small", 1, 20), [])
    given = await parts.recall.recall(_asked(owner, run=None))
    assert given.writers == ("small", "large")
    assert given.behaviours == (("count_twice", "Count every item twice."),)


async def test_an_outcome_taken_back_after_an_entry_began_anew_does_no_harm(
    settings: Settings, redis: Redis, embedder: WordEmbedder, parts: PlaybookParts, owner: str
) -> None:
    topic = await _topic(parts, owner)
    entry = recipe(**_fitting(parts, owner, topic))
    await parts.entries.put(entry)
    await parts.records.add(owner, "rated", topic, {}, [Part(entry=entry.id, won=1.0, cost=9.0)])
    await parts.entries.set_status(owner, entry.id, "disabled")
    await parts.entries.set_status(owner, entry.id, "candidate")
    await parts.records.add(owner, "rated", topic, {}, [Part(entry=entry.id, won=0.0, cost=9.0)])
    bold = settings.model_copy(update={"playbook": PlaybookSettings(explore=1.0, recall_milliseconds=5000)})
    recall = build_parts(bold, redis, embedder, build_strategies(bold)).recall
    given = await recall.recall(_asked(owner, explore=True))
    assert given.problem is None
    assert given.on_trial is not None and given.on_trial.entry == entry.id


def test_counts_below_nothing_are_none() -> None:
    topic = Topic(id="t", owner="o", problem="?", form="number", trials=3, cost=9.0, created=0.0, used=0.0)
    stored = {name.encode(): text.encode() for name, text in to_hash(recipe("o")).items()}
    for wins, trials in ((b"-1", b"0"), (b"-2", b"-2"), (b"0", b"-1"), (b"3", b"0")):
        entry = from_hash({**stored, b"wins": wins, b"trials": trials, b"cost": b"-9"})
        assert 0 < sampled_rate(entry, random.Random(1)) < 1
        assert merit(entry, topic, entry.win_rate, PlaybookSettings()) == 0.5


def test_some_runs_go_without_a_promoted_entry_to_see_what_it_is_worth() -> None:
    settings = PlaybookSettings(control=0.2)
    given = [_chosen([recipe("o", status="promoted")], f"run{n}", settings) for n in range(300)]
    without = [each for each in given if each.advice is None]
    assert 30 < len(without) < 100
    event = without[0].event()
    assert isinstance(event, Recalled)
    assert event.left_out is not None and "left out by chance" in event.reason


def test_the_best_recipe_and_no_more_behaviours_than_allowed_are_used() -> None:
    entries = [
        recipe("o", status="promoted", trials=50, wins=30.0),
        recipe("o", "cot(small)", status="promoted", trials=50, wins=45.0),
        *(behaviour("o", f"habit_{n}", status="promoted", trials=20, wins=float(n)) for n in range(9)),
    ]
    given = _chosen(entries, None, PlaybookSettings(behaviours=3))
    assert [entry.name for entry in given.used] == ["cot(small)", "habit_8", "habit_7", "habit_6"]


def test_no_more_examples_than_allowed_are_given_and_none_to_the_question_that_it_quotes() -> None:
    entries = [
        example("o", name=f"example_{n}", status="promoted", trials=20, wins=float(n), problem=_QUESTION.format(n, n))
        for n in range(5)
    ]
    given = _chosen(entries, None, PlaybookSettings())
    assert given.examples == ((entries[4].problem, entries[4].text),)
    given = _chosen(entries, None, PlaybookSettings(examples=2), question="  " + _QUESTION.format(4, 4) + "\n")
    assert [entry.name for entry in given.used] == ["example_3", "example_2"]
    assert _chosen(entries, None, PlaybookSettings(examples=0)).used == ()


def test_candidates_are_picked_by_thompson_sampling() -> None:
    better = recipe("o", "cot(small)", trials=10, wins=8.0)
    worse = recipe("o", "direct(small)", trials=10, wins=5.0)
    chosen = [_chosen([worse, better], f"run{n}", PlaybookSettings(explore=1.0)) for n in range(300)]
    picked = [each.on_trial.entry for each in chosen if each.on_trial is not None]
    assert len(picked) == 300
    assert 200 < picked.count(better.id) < 290, "the better one clearly more often, and not alone"


def test_an_example_on_trial_takes_the_place_of_the_one_in_use() -> None:
    kept, tried = example("o", "kept", status="promoted"), example("o", "tried")
    explored = [_chosen([kept, tried], f"run{n}", PlaybookSettings(explore=1.0)) for n in range(20)]
    assert {tuple(text for _, text in each.examples) for each in explored} == {("kept",), ("tried",)}


async def test_a_playbook_that_is_away_is_said_to_be_so(settings: Settings, embedder: WordEmbedder, owner: str) -> None:
    client = Redis.from_url(f"redis://127.0.0.1:{processes.free_port()}/0", socket_timeout=None)
    recall = build_parts(settings, client, embedder, build_strategies(settings)).recall
    given = await recall.recall(_asked(owner))
    await client.aclose()
    event = given.event()
    assert event is not None and event.problem is not None and "does not answer" in event.problem


async def test_a_slow_playbook_is_not_waited_for(
    settings: Settings, redis: Redis, embedder: WordEmbedder, parts: PlaybookParts, owner: str
) -> None:
    await _topic(parts, owner)
    hasty = settings.model_copy(update={"playbook": PlaybookSettings(recall_milliseconds=20)})
    recall = build_parts(hasty, redis, embedder, build_strategies(hasty)).recall
    await redis.execute_command("CLIENT", "PAUSE", 1500, "ALL")
    begun = time.monotonic()
    given = await recall.recall(_asked(owner))
    waited = time.monotonic() - begun
    assert given.problem is not None and "within 20 ms" in given.problem
    assert waited < 1.0


def _chosen(entries: list[Entry], run: str | None, settings: PlaybookSettings, question: str = "?") -> Recollection:
    topic = Topic(id="t", owner="o", problem="?", form="number", seen=9, created=0.0, used=0.0)
    asked = Asked(owner="o", question=question, form="number", run=run, may_explore=True)
    route = Route(strategy="program", models=("small",))
    return choose(topic, entries, asked, settings, writers=("large",), pupils=("small",), route_of=lambda entry: route)
