"""What becomes of the playbook when conversations are deleted that it learned from."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from orchestrator.compose import Tandem, open_tandem
from orchestrator.conversations import Conversations
from orchestrator.playbook.evidence import Gain
from orchestrator.playbook.keys import keys_of
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.records import Part
from orchestrator.playbook.shadow import trial_name
from orchestrator.playbook.topics import whole
from orchestrator.playbook.workshop import Workshop
from orchestrator.settings import Settings
from orchestrator.storage.artifacts import ArtifactStore
from orchestrator.storage.records import Feedback, TurnSettings
from tests.orchestrator.conftest import events_of
from tests.orchestrator.playbook.building import recipe
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

_QUESTION = "I have {} apples, {} plums and a pear. How many fruits do I have?"


@pytest.fixture
async def tandem(settings: Settings, scripted: ScriptedServer) -> AsyncIterator[Tandem]:
    scripted.script = Script(replies=(say("It is \\boxed{12}.", match="step by step"),), default=say("no program"))
    async with open_tandem(settings) as opened:
        yield opened


@pytest.fixture
def conversations(tandem: Tandem) -> Conversations:
    artifacts = ArtifactStore(tandem.settings.storage.directory / "artifacts")
    return Conversations(tandem.database, tandem.runs, artifacts, forgetting=tandem.forgetting)


async def _learned(
    tandem: Tandem, workshop: Workshop, conversations: Conversations, owner: str, question: str
) -> tuple[str, str, str]:
    """A conversation in which that was asked and the answer approved, its run, and the topic that it counted for."""
    conversation = (await tandem.database.create_conversation(owner)).id
    asked = TurnSettings(model="auto", reasoning_effort="low")
    prepared = await conversations.question(conversation, owner, None, question, asked)
    run = await tandem.runs.start(prepared.request)
    await conversations.began(prepared, run)
    await events_of(tandem, run, owner)
    await tandem.database.save_feedback(run, owner, Feedback(rating=1))
    learned = await workshop.learn(run, owner)
    assert learned is not None
    return conversation, run, learned.topic


async def test_deleted_questions_stand_nowhere_in_the_playbook_and_count_no_more(
    tandem: Tandem,
    workshop: Workshop,
    conversations: Conversations,
    parts: PlaybookParts,
    redis: Redis,
    owner: str,
) -> None:
    questions = [_QUESTION.format(n, 100 + n) for n in range(4)]
    asked = [await _learned(tandem, workshop, conversations, owner, question) for question in questions]
    topic = asked[3][2]
    assert [each[2] for each in asked] == [whole("number")] * 2 + [topic] * 2
    known = await parts.topics.get(owner, topic)
    assert known is not None and (known.problem, known.seen, known.wins) == (questions[2], 2, 2.0)

    await conversations.delete(asked[2][0], owner)
    known = await parts.topics.get(owner, topic)
    assert known is not None and (known.problem, known.seen, known.trials, known.wins) == (questions[3], 1, 1, 1.0)
    seeded = [entry for entry in (await parts.entries.entries(owner)).entries if entry.topic == topic]
    assert {entry.problem for entry in seeded} == {questions[3]}
    assert await parts.topics.find(owner, questions[0], "number") == topic

    for conversation, _, _ in (asked[0], asked[1], asked[3]):
        await conversations.delete(conversation, owner)
    known = await parts.topics.get(owner, topic)
    assert known is not None and (known.problem, known.seen, known.trials) == ("", 0, 0)
    async for key in redis.scan_iter(match=f"{keys_of(owner).prefix}:*"):
        if await redis.type(key) == b"hash":
            assert "plums" not in str(await redis.hgetall(key)), key
    stored = await tandem.database.stored_entries(owner)
    assert stored
    assert "plums" not in str(stored)

    again = await _learned(tandem, workshop, conversations, owner, questions[1])
    known = await parts.topics.get(owner, topic)
    assert again[2] == topic
    assert known is not None and (known.problem, known.seen) == (questions[1], 1)


async def test_outcomes_of_a_deleted_run_are_taken_back_from_entries_trials_included(
    tandem: Tandem, workshop: Workshop, conversations: Conversations, parts: PlaybookParts, owner: str
) -> None:
    assert tandem.playbook is not None
    kept = recipe(owner, wins=5.0, trials=8, provenance=("elsewhere",))
    await tandem.playbook.put(kept)
    conversation, run, topic = await _learned(tandem, workshop, conversations, owner, _QUESTION.format(1, 2))
    part = Part(entry=kept.id, won=1.0, tokens=10, cost=5.0, gain=Gain(right=1.0, total=0.5))
    await parts.records.add(owner, trial_name(run, kept), topic, {}, [part], run)
    tried = await parts.entries.get(owner, kept.id)
    assert (tried.trials, tried.provenance) == (9, ("elsewhere", run))
    await tandem.database.save_entry(owner, kept.id, tried.model_dump(mode="json"), [run])
    await conversations.delete(conversation, owner)
    left = await parts.entries.get(owner, kept.id)
    assert (left.wins, left.trials, left.cost, left.evidence.compared) == (5.0, 8, 0.0, 0)
    assert left.provenance == ("elsewhere",)
    stored = {entry["id"]: entry for entry in await tandem.database.stored_entries(owner)}
    assert (stored[kept.id]["trials"], stored[kept.id]["provenance"]) == (8, ["elsewhere"])
    assert await tandem.database.taught_by(run, owner) == []


async def test_a_conversation_can_be_deleted_while_the_playbook_is_away(
    tandem: Tandem, workshop: Workshop, conversations: Conversations, redis: Redis, owner: str
) -> None:
    conversation, run, _ = await _learned(tandem, workshop, conversations, owner, _QUESTION.format(1, 2))
    await redis.set(keys_of(owner).loose_times, "no sorted set")  # every command on it fails
    await conversations.delete(conversation, owner)
    assert await tandem.database.get_runs([run], owner) == {}


async def test_a_deleted_question_begins_no_topic(parts: PlaybookParts, owner: str) -> None:
    for run in ("run0", "run1"):
        await parts.topics.assign(owner, _QUESTION.format(1, 2), "number", run=run)
    await parts.topics.forget_question(owner, "run0")
    assert await parts.topics.assign(owner, _QUESTION.format(1, 2), "number", run="run2") == whole("number")
