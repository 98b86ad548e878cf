"""What follows from a run that can be learned from, in this process."""

import asyncio
import json

import pytest
from kombu.exceptions import OperationalError
from redis.asyncio import Redis

from orchestrator.compose import Tandem, open_tandem
from orchestrator.playbook.archived import DatabaseArchive, NoArchive
from orchestrator.playbook.evidence import Stakes
from orchestrator.playbook.keys import keys_of
from orchestrator.playbook.learner import Learner
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.workshop import Workshop, open_workshop
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.storage.records import Feedback
from tests import processes
from tests.orchestrator.conftest import events_of
from tests.orchestrator.playbook.building import FRUITS, behaviour, promoted, recipe
from tests.orchestrator.playbook.runs import RIGHT, Requests, ask
from tests.waiting import eventually
from workers.celery_app import create_app
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


async def test_what_follows_from_a_run_follows_though_the_queue_was_away(
    settings: Settings,
    redis: Redis,
    redis_url: str,
    tandem: Tandem,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    often = settings.model_copy(update={"playbook": settings.playbook.model_copy(update={"consolidate": 2})})
    runs = await ask(tandem, request_for, owner, 3)
    for run in runs:
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
    nowhere = create_app(f"redis://127.0.0.1:{processes.free_port()}/0")
    # Celery would try this address again for six seconds each time.
    nowhere.conf.broker_transport_options |= {"max_retries": 0}
    async with open_workshop(often, nowhere) as workshop:
        for run in runs[:2]:
            with pytest.raises(OperationalError):
                await workshop.learn(run, owner)
    assert await _queued(redis, "learn.consolidate", "learn.shadow") == []
    async with open_workshop(often, create_app(redis_url)) as workshop:
        for run in (runs[1], runs[1]):
            learned = await workshop.learn(run, owner)
        assert learned is not None and not learned.new
    queued = await _queued(redis, "learn.consolidate", "learn.shadow")
    assert queued.count("learn.consolidate") == 1, "once for so many runs"
    assert "learn.shadow" in queued
    topic = await parts.topics.get(owner, learned.topic)
    assert topic is not None and topic.seen == 2


async def test_a_topic_without_recipes_is_given_those_of_the_settings_by_its_next_run(
    tandem: Tandem,
    workshop: Workshop,
    settings: Settings,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    """As after a worker that died between counting the first run and proposing."""
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    runs = await ask(tandem, request_for, owner, 2)
    archive = DatabaseArchive(tandem.database)
    learner = Learner(parts, archive, Stakes(), {name: model.parameters for name, model in settings.models.items()})
    taught = await tandem.database.taught_run(runs[0], owner)
    assert taught is not None
    told = learner.told(taught)
    assert told is not None
    await learner.learn(told)
    learned = await workshop.learn(runs[1], owner)
    assert learned is not None
    topic = await parts.topics.get(owner, learned.topic)
    assert topic is not None and topic.seen == 2
    assert {entry.name for entry in await parts.recall.of_topic(topic)} == set(settings.playbook.recipes)


@pytest.mark.parametrize(("share", "compared"), [(0.0, 0), (1.0, 2)])
async def test_runs_that_used_a_promoted_behaviour_are_repeated_with_it_and_without(
    settings: Settings,
    redis: Redis,
    redis_url: str,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
    share: float,
    compared: int,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    options = settings.playbook.model_copy(update={"control": 0.0, "recheck": share})
    settings = settings.model_copy(update={"playbook": options})
    entry = await promoted(parts, behaviour(owner))
    async with open_tandem(settings) as tandem, open_workshop(settings, create_app(redis_url)) as workshop:
        for run, rating in zip(await ask(tandem, request_for, owner, 2), (1, -1), strict=True):
            await redis.delete("learn")
            await tandem.database.save_feedback(run, owner, Feedback(rating=rating))
            await workshop.learn(run, owner)
            queued = await _queued(redis, "learn.shadow")
            assert queued == ["learn.shadow"], "also of a run that was wrong"
            for _ in range(2):
                await workshop.shadow(run, owner)
    known = await parts.entries.get(owner, entry.id)
    # A run that used it and has a verdict is a trial; what a repeated one adds is compared.
    assert known.evidence.compared == compared
    assert known.trials == 30 + 2 + compared


async def _queued(redis: Redis, *tasks: str) -> list[str]:
    """The names of those of ``tasks`` that wait in the queue."""
    waiting = [json.loads(message)["headers"]["task"] for message in await redis.lrange("learn", 0, -1)]
    return [task for task in waiting if task in tasks]


async def test_a_trial_gives_way_to_a_run(
    workshop: Workshop, redis: Redis, tandem: Tandem, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(replies=(say("endless ", match="Propose|Write at most", endless=True, delay=0.01), RIGHT))
    runs = await ask(tandem, request_for, owner, 3)
    for run in runs:
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        learned = await workshop.learn(run, owner)
    assert learned is not None
    aborted = scripted.stats.aborted
    work = asyncio.create_task(workshop.consolidate(owner, learned.topic))
    await eventually(lambda: scripted.stats.running > 0)
    await redis.sadd("tandem:runs:active", "somebody's run")
    added = await asyncio.wait_for(work, timeout=20)
    await redis.srem("tandem:runs:active", "somebody's run")
    assert added == []
    await eventually(lambda: scripted.stats.aborted == aborted + 1)


async def test_with_the_playbook_off_nothing_is_asked_or_learned(
    settings: Settings, redis: Redis, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    await redis.delete("learn")
    off = settings.model_copy(update={"playbook": PlaybookSettings(enabled=False)})
    async with open_tandem(off) as tandem:
        await ask(tandem, request_for, owner, 2)
        assert tandem.playbook is None
        assert await tandem.database.taught_runs(owner) == []
    assert await redis.llen("learn") == 0


async def test_only_questions_of_their_own_are_learned_from(
    tandem: Tandem, workshop: Workshop, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("Once upon a time."))
    for fields in ({"model": "cot"}, {"model": "small"}, {"effort": "low", "strategy": "cot"}):
        run = await tandem.runs.start(request_for(FRUITS.format(1, 2), **fields))
        await events_of(tandem, run, owner)
        assert await workshop.learn(run, owner) is None
    run = await tandem.runs.start(request_for("Tell me a story."))
    await events_of(tandem, run, owner)
    assert await workshop.learn(run, owner) is None
    assert await workshop.learn(run, "somebody else") is None


async def test_what_has_expired_is_cleared_away_though_nothing_is_ever_consolidated(
    settings: Settings,
    redis: Redis,
    redis_url: str,
    tandem: Tandem,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    never = settings.model_copy(update={"playbook": settings.playbook.model_copy(update={"consolidate": 0})})
    assert tandem.playbook is not None
    gone = recipe(owner)
    await tandem.playbook.put(gone)
    await redis.delete(keys_of(owner).entry(gone.id))
    [run] = await ask(tandem, request_for, owner, 1)
    async with open_workshop(never, create_app(redis_url)) as workshop:
        await workshop.learn(run, owner)
    assert gone.id.encode() not in await redis.zrange(keys_of(owner).values("recipe"), 0, -1)
    assert gone.id not in {stored["id"] for stored in await tandem.database.stored_entries(owner)}


async def test_every_run_that_reached_an_entry_is_known_though_the_database_was_away_for_long(
    tandem: Tandem,
    settings: Settings,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    """More of them than an entry names: those that are not known would be learned again after a loss of Redis."""
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    parameters = {name: model.parameters for name, model in settings.models.items()}
    entry = await promoted(parts, recipe(owner, "cot(small)"))
    [run] = await ask(tandem, request_for, owner, 1)
    taught = await tandem.database.taught_run(run, owner)
    assert taught is not None
    away, back = (
        Learner(parts, archive, Stakes(), parameters) for archive in (NoArchive(), DatabaseArchive(tandem.database))
    )
    told = away.told(taught)
    assert told is not None
    lesson = told.lesson.model_copy(update={"used": (entry.id,)})
    runs = [told.model_copy(update={"run": f"run{n}", "won": 1.0, "lesson": lesson}) for n in range(25)]
    for learner in (away, back):
        for each in runs:
            await learner.learn(each)
    assert (await parts.entries.get(owner, entry.id)).trials == 30 + 25
    assert (await tandem.database.outcomes_of_entries(owner))[entry.id] == {each.run for each in runs}
