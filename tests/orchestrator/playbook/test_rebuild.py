"""What is rebuilt from the database once Redis has lost it, and what is not added twice."""

import pytest
from redis.asyncio import Redis

from orchestrator.compose import Tandem, open_tandem
from orchestrator.playbook.archived import DatabaseArchive
from orchestrator.playbook.evidence import Stakes
from orchestrator.playbook.learner import Learner
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.rebuild import NotTheirs, Rebuild
from orchestrator.playbook.workshop import Workshop, open_workshop
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.storage.records import Feedback
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from tests.orchestrator.playbook.building import promoted, recipe
from tests.orchestrator.playbook.runs import RIGHT, Requests, alone_on_trial, ask
from workers.celery_app import create_app
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


def _rebuild(tandem: Tandem, settings: Settings, parts: PlaybookParts) -> Rebuild:
    parameters = {name: model.parameters for name, model in settings.models.items()}
    learner = Learner(parts, DatabaseArchive(tandem.database), Stakes(), parameters)
    return Rebuild(parts, learner, tandem.database)


async def test_what_was_lost_with_redis_is_rebuilt(
    tandem: Tandem,
    workshop: Workshop,
    settings: Settings,
    redis: Redis,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    for run in await ask(tandem, request_for, owner, 5):
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        learned = await workshop.learn(run, owner)
    assert learned is not None
    before = await parts.topics.get(owner, learned.topic)
    assert before is not None and tandem.playbook is not None
    kept = recipe(owner, topic=before.id, problem=before.problem, trials=25, wins=24.0, status="promoted", rank=9)
    await tandem.playbook.put(kept)
    await redis.flushdb()
    assert (await tandem.playbook.entries(owner)).entries == ()
    rebuild = _rebuild(tandem, settings, parts)
    for _ in range(2):
        rebuilt = (await rebuild.everyone())[owner]
        assert (rebuilt.entries, rebuilt.runs) == (1 + 2 * len(settings.playbook.recipes), 5)
        assert kept in (await tandem.playbook.entries(owner)).entries
        after = await parts.topics.get(owner, before.id)
        assert after is not None
        # The first of its kind count for the topic as well now: it is known from the entry.
        assert (after.seen, after.wins, after.candidates["recipe"]) == (5, 5.0, 9)
    assert await workshop.learn(run, owner) is not None
    assert (await parts.topics.get(owner, before.id)) == after


async def test_trials_that_were_before_a_loss_are_not_added_again(
    tandem: Tandem,
    workshop: Workshop,
    settings: Settings,
    redis: Redis,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    run, entry = await alone_on_trial(tandem, workshop, parts, request_for, owner)
    assert [await workshop.shadow(run, owner) for _ in range(2)] == [1, 0]
    tried = await parts.entries.get(owner, entry.id)
    await redis.flushdb()
    await _rebuild(tandem, settings, parts).owner(owner)
    assert await parts.entries.get(owner, entry.id) == tried
    for seeded in (await parts.entries.entries(owner)).entries:
        if seeded.id != entry.id:
            await parts.entries.delete(owner, seeded.id)
    # The topic has the first two questions as well by now.
    assert [await workshop.shadow(run, owner) for _ in range(3)] == [1, 1, 0]
    assert (await parts.entries.get(owner, entry.id)).trials == 3


async def test_how_the_small_model_did_alone_is_known_after_a_loss(
    tandem: Tandem,
    workshop: Workshop,
    settings: Settings,
    redis: Redis,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    """Hardly anything but trials in shadow tells of it, and these are not done again."""
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    run, entry = await alone_on_trial(tandem, workshop, parts, request_for, owner)
    scripted.script = Script(default=say("It is \\boxed{13}."))
    # The topic has the questions of the first two runs as well by the third time.
    assert [await workshop.shadow(run, owner) for _ in range(2)] == [1, 0]
    before = await parts.topics.get(owner, entry.topic)
    assert before is not None and before.writers["small"] == (0.0, 1)
    for _ in range(2):
        await redis.flushdb()
        await _rebuild(tandem, settings, parts).owner(owner)
        after = await parts.topics.get(owner, entry.topic)
        assert after is not None and after.writers["small"] == (0.0, 1)


async def test_what_nobody_has_judged_is_left_as_it_was(
    settings: Settings, redis: Redis, redis_url: str, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    settings = settings.model_copy(
        update={"playbook": PlaybookSettings(recall_milliseconds=5000, control=0.0, shadow=0)}
    )
    parts = build_parts(settings, redis, WordEmbedder(), build_strategies(settings))
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    entry = await promoted(parts, recipe(owner, "cot(small)"))
    async with open_tandem(settings) as tandem, open_workshop(settings, create_app(redis_url)) as workshop:
        [run] = await ask(tandem, request_for, owner, 1)
        await workshop.learn(run, owner)
        before = await parts.entries.get(owner, entry.id)
        assert (before.trials, before.provenance) == (30, (run,))
        await redis.flushdb()
        await _rebuild(tandem, settings, parts).owner(owner)
        assert await parts.entries.get(owner, entry.id) == before
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        await redis.flushdb()  # the message that it was rated with it
        await _rebuild(tandem, settings, parts).owner(owner)
        assert (await parts.entries.get(owner, entry.id)).trials == 31


async def test_outcomes_that_were_lost_on_their_way_are_learned_by_a_rebuild(
    settings: Settings,
    redis: Redis,
    redis_url: str,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    always = PlaybookSettings(recall_milliseconds=5000, control=0.0)
    settings = settings.model_copy(update={"playbook": always})
    parts = build_parts(settings, redis, WordEmbedder(), build_strategies(settings))
    async with open_tandem(settings) as tandem, open_workshop(settings, create_app(redis_url)) as workshop:
        _, entry = await alone_on_trial(tandem, workshop, parts, request_for, owner)
        known = entry.model_copy(update={"status": "promoted", "trials": 30, "wins": 29.0})
        assert tandem.playbook is not None
        await tandem.playbook.put(known)
        runs = await ask(tandem, request_for, owner, 3, first=10)
        for run in runs:
            await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        for run in runs[:2]:
            await workshop.learn(run, owner)
        assert (await parts.entries.get(owner, entry.id)).trials == 32
        for _ in range(2):
            await redis.flushdb()  # the message of the third run with it
            await _rebuild(tandem, settings, parts).owner(owner)
            rebuilt = await parts.entries.get(owner, entry.id)
            assert (rebuilt.trials, rebuilt.wins) == (33, 32.0)


async def test_a_rebuild_refuses_what_belongs_to_somebody_else(
    tandem: Tandem, settings: Settings, parts: PlaybookParts, owner: str
) -> None:
    mine = recipe(owner)
    await parts.entries.put(mine)
    await tandem.database.save_entry(owner, mine.id, recipe("eve").model_dump(mode="json"), ())
    with pytest.raises(NotTheirs, match="of 'eve'"):
        await _rebuild(tandem, settings, parts).owner(owner)
    assert await parts.entries.get(owner, mine.id) == mine
