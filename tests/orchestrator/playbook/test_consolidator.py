"""What the large model proposes for a topic, and what becomes of it: a scripted engine, a real Redis."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.playbook.archived import NoArchive
from orchestrator.playbook.consolidator import Consolidator
from orchestrator.playbook.entry import Entry, Evidence, Topic
from orchestrator.playbook.evidence import BETS
from orchestrator.playbook.lesson import Lesson
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.repertoire import Repertoire
from orchestrator.playbook.topic_hash import counted
from orchestrator.playbook.traces import Traces
from orchestrator.settings import Settings
from orchestrator.storage.records import TaughtRun
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from tests.orchestrator.playbook.building import behaviour, for_fruits, recipe
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget, Ledger
from workers.models.protocol import ChatModel

_FAILED = Evidence(gains=(-2.0,) * 2 * len(BETS), losses=(1.0,) * 2 * len(BETS), edge=-3.0, compared=25)


@pytest.fixture
def consolidator(settings: Settings, parts: PlaybookParts, redis: Redis, embedder: WordEmbedder) -> Consolidator:
    strategies = build_strategies(settings)
    repertoire = Repertoire(settings, strategies, Offers(settings, tuple(strategies)))
    return Consolidator(parts, NoArchive(), Traces(redis), embedder, settings.playbook, repertoire)


@pytest.fixture
async def model(settings: Settings) -> AsyncIterator[ChatModel]:
    async def nobody(event: object) -> None:
        """Nobody listens."""

    park = ModelPark(settings, None)
    yield park.for_run(Ledger(Budget()), nobody)["large"]
    await park.aclose()


async def _topic(parts: PlaybookParts, entry: Entry) -> Topic:
    topic = await parts.topics.get(entry.owner, entry.topic)
    assert topic is not None
    return topic


async def _names(parts: PlaybookParts, topic: Topic, status: str) -> list[str]:
    entries = await parts.recall.of_topic(topic, every=True)
    return sorted(entry.name for entry in entries if entry.status == status)


async def test_the_guide_sees_what_was_tried_and_its_proposals_become_candidates(
    consolidator: Consolidator, parts: PlaybookParts, model: ChatModel, scripted: ScriptedServer, owner: str
) -> None:
    known = await for_fruits(parts, recipe(owner, "cot(small)", status="demoted"))
    counts = {**counted("route", "program(large)", 7, 9, 900.0), **counted("route", "cot(large)", 1, 4, 1000.0)}
    await parts.records.add(owner, "before", known.topic, counts, [])
    proposal = '[{"strategy": "cot", "model": "small"}, {"strategy": "direct", "model": "small"}, "plan(large)"]'
    history = r"(?s)How many fruits.*- cot\(large\): 1 of 4, 250\n- program\(large\): 7 of 9, 100\n"
    scripted.script = Script(replies=(say(proposal, match=history),), default=say("nothing to propose"))
    topic = await _topic(parts, known)
    added = await consolidator.consolidate(topic, [], model)
    assert [entry.name for entry in added] == ["direct(small)", "plan(large)"], "what failed is not proposed again"
    assert [entry.rank for entry in added] == [1, 2]
    assert await _names(parts, topic, "candidate") == ["direct(small)", "plan(large)"]
    assert await _names(parts, topic, "demoted") == ["cot(small)"]
    assert await consolidator.consolidate(await _topic(parts, known), [], model) == [], "nor is what is on trial"


async def test_what_draws_many_samples_of_the_large_model_is_not_put_on_trial(
    consolidator: Consolidator, parts: PlaybookParts, model: ChatModel, scripted: ScriptedServer, owner: str
) -> None:
    known = await for_fruits(parts, recipe(owner, "program(small)"))
    proposal = '["self-consistency(large)", "parallel(large)", "short-m(large)", "consensus(large)", "cot(small)"]'
    scripted.script = Script(replies=(say(proposal, match="Propose at most 3"),))
    added = await consolidator.consolidate(await _topic(parts, known), [], model)
    assert [entry.name for entry in added] == ["cot(small)"]


async def test_the_instruction_with_the_least_to_show_is_put_in_other_words(
    consolidator: Consolidator, parts: PlaybookParts, model: ChatModel, scripted: ScriptedServer, owner: str
) -> None:
    weak = await for_fruits(parts, behaviour(owner, evidence=_FAILED, wins=6.0, trials=25))
    pinned = behaviour(owner, "pinned_one", "Look at every group.", evidence=_FAILED, pinned=True)
    fresh = behaviour(owner, "fresh_one", "Name the unit of every number.")
    for other in (pinned, fresh):
        await for_fruits(parts, other)
    asked = r"(?s)6 of 25 answers.*How many fruits.*Instruction: count_twice: Count every item twice\."
    scripted.script = Script(
        replies=(say("add_each_group: Add the number of every group once.", match=asked),), default=say("nothing")
    )
    topic = await _topic(parts, weak)
    [added] = await consolidator.consolidate(topic, [], model)
    assert (added.name, added.text, added.evidence) == (
        "add_each_group",
        "Add the number of every group once.",
        Evidence(),
    )
    assert await _names(parts, topic, "demoted") == ["count_twice"]
    assert await _names(parts, topic, "candidate") == ["add_each_group", "fresh_one", "pinned_one"]
    assert await consolidator.consolidate(topic, [], model) == [], "no other is weak"


@pytest.mark.parametrize(
    ("other", "left"),
    [
        ({"compared": 9}, ["twice"]),
        ({"compared": 3, "status": "promoted"}, ["twice"]),
        ({"compared": 3, "pinned": True}, ["twice"]),
        ({"compared": 3}, ["first"]),
        ({"compared": 9, "before": {"pinned": True}}, ["first"]),
        ({"compared": 9, "status": "promoted", "before": {"pinned": True}}, ["first", "twice"]),
        ({"compared": 9, "before": {"status": "disabled"}}, ["twice"]),
    ],
)
async def test_behaviours_that_say_the_same_become_one(
    consolidator: Consolidator,
    parts: PlaybookParts,
    model: ChatModel,
    scripted: ScriptedServer,
    owner: str,
    other: dict[str, Any],
    left: list[str],
) -> None:
    """The one in use or with more outcomes; what is pinned stays in any case."""
    scripted.script = Script(default=say("nothing"))
    said, more = "Add the number of every group of fruits once", {**other}
    before, compared = more.pop("before", {}), more.pop("compared")
    known = behaviour(owner, "first", f"{said}.", evidence=Evidence(compared=5)).model_copy(update=before)
    known = await for_fruits(parts, known)
    again = behaviour(owner, "twice", f"{said}!", evidence=Evidence(compared=compared), **more)
    await for_fruits(parts, again)
    await for_fruits(parts, behaviour(owner, "unlike", "Name the unit of every number."))
    topic = await _topic(parts, known)
    await consolidator.consolidate(topic, [], model)
    active = sorted(entry.name for entry in await parts.recall.of_topic(topic))
    assert active == sorted([*left, "unlike"])


async def test_a_rewriting_that_says_the_same_as_another_is_dropped(
    consolidator: Consolidator, parts: PlaybookParts, model: ChatModel, scripted: ScriptedServer, owner: str
) -> None:
    weak = await for_fruits(parts, behaviour(owner, evidence=_FAILED, trials=25))
    kept = behaviour(owner, "add_each_group", "Add the number of every group of fruits once.")
    await for_fruits(parts, kept, status="disabled")
    same = "sum_all_groups: Add the number of every group of fruits once!"
    scripted.script = Script(replies=(say(same, match="Rewrite"),), default=say("nothing"))
    topic = await _topic(parts, weak)
    assert await consolidator.consolidate(topic, [], model) == []
    assert await _names(parts, topic, "disabled") == ["add_each_group"]


async def test_nothing_is_distilled_from_an_answer_that_its_owner_called_wrong(
    consolidator: Consolidator, parts: PlaybookParts, model: ChatModel, scripted: ScriptedServer, owner: str
) -> None:
    topic = await _topic(parts, await for_fruits(parts, recipe(owner, "program(small)")))
    scripted.script = Script(default=say("1. add_all_groups: Add all of the groups of fruits once."))
    assert await consolidator.consolidate(topic, [_right_run(owner, rating=-1)], model) == []
    added = await consolidator.consolidate(topic, [_right_run(owner)], model)
    assert [entry.name for entry in added] == ["add_all_groups"], "where the verifiers alone have spoken"


async def test_what_a_model_is_shown_does_not_follow_from_the_ids_of_entries(
    consolidator: Consolidator, parts: PlaybookParts, model: ChatModel, scripted: ScriptedServer, owner: str
) -> None:
    """Entries of a topic are equally near to its question, and a search returns such in any order."""
    scripted.script = Script(default=say("nothing"))
    shown = set()
    for number in range(6):
        one = f"{owner} {number}"
        for rank, strategy in enumerate(("program", "cot", "direct", "plan", "refine"), 1):
            known = recipe(one, f"{strategy}(small)", rank=rank, status="demoted", trials=rank)
            known = await for_fruits(parts, known)
            said = behaviour(one, f"use_{strategy}", f"Think of {strategy} first.", rank=rank, status="demoted")
            await for_fruits(parts, said)
        scripted.stats.prompts.clear()
        await consolidator.consolidate(await _topic(parts, known), [_right_run(one)], model)
        shown.add(tuple(scripted.stats.prompts))
    [(distilled, guided)] = shown
    assert "use_program, use_cot, use_direct, use_plan, use_refine" in distilled, "as they were proposed"
    assert guided.index("program(small): ") < guided.index("refine(small): ")


def _right_run(owner: str, rating: int | None = None) -> TaughtRun:
    """One for whose answer the verifiers have evidence."""
    return TaughtRun(
        id="run",
        owner=owner,
        created=0.0,
        status="answered",
        request={"messages": [{"role": "user", "content": "How many fruits?"}]},
        route="cot(large)",
        value="12",
        form="number",
        supported=True,
        ledger=None,
        lesson=Lesson(writer="large", first="12").model_dump(),
        text="12",
        rating=rating,
    )
