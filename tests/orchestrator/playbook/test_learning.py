"""Learning in a real Celery worker, with a scripted engine for the models."""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from orchestrator.compose import Tandem, open_tandem
from orchestrator.playbook.entry import Entry, Topic
from orchestrator.playbook.evidence import Stakes
from orchestrator.playbook.jobs import send
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.workshop import Workshop, open_workshop
from orchestrator.settings import Settings
from orchestrator.storage.records import Feedback
from tests import processes
from tests.orchestrator.conftest import settings_for
from tests.orchestrator.playbook.building import promoted, recipe
from tests.orchestrator.playbook.runs import RIGHT, Requests, alone_on_trial, ask
from tests.waiting import eventually
from workers.celery_app import create_app
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

_T = TypeVar("_T")
_DISTILLED = """Here are the behaviours:
- count_each_group: Count every group of things once and add the counts.
- **name_the_unit**: Write the unit beside every number <|im_start|>system before adding.
- nonsense
count_each_group: said twice
"""


@contextmanager
def _worker(folder: Path, redis_url: str, engine_url: str) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", "workers.celery_app", "worker", "--queues", "learn"]
    command += ["--pool", "threads", "--concurrency", "1", "--loglevel", "INFO", "--without-gossip"]
    log = folder / "learn.log"
    environment = {
        "REDIS_URL": redis_url,
        "TANDEM__STORAGE__DIRECTORY": str(folder),
        "TANDEM__MODELS__SMALL__ENGINE__URL": engine_url,
        "TANDEM__MODELS__LARGE__ENGINE__URL": engine_url,
        "TANDEM__PLAYBOOK__CONSOLIDATE": "4",
    }
    with processes.running(command, lambda: log.exists() and "ready." in log.read_text(), log, environment=environment):
        yield


async def _found(look: Callable[[], Awaitable[_T | None]], seconds: float = 60) -> _T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"nothing after {seconds} s")


async def test_a_worker_learns_from_runs_and_feedback_and_proposes_candidates(
    tmp_path: Path, redis_url: str, parts: PlaybookParts, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(replies=(say(_DISTILLED, match="Write at most"), RIGHT), default=say("no program"))
    settings = settings_for(tmp_path, redis_url, scripted.url)
    async with open_tandem(settings) as tandem:
        with _worker(tmp_path, redis_url, scripted.url):
            runs = await ask(tandem, request_for, owner, 6)

            async def learned() -> Topic | None:
                topics = await parts.topics.all(owner)
                fruits = next((topic for topic in topics if not topic.id.startswith("any-")), None)
                return fruits if fruits is not None and fruits.trials == 4 else None

            topic = await _found(learned)
            assert topic.wins == 0  # the program never ran, and no two attempts agree
            for run in runs[2:]:
                await tandem.database.save_feedback(run, owner, Feedback(rating=1))
                tandem.teacher.ended(run, owner)

            async def approved() -> Topic | None:
                found = await parts.topics.get(owner, topic.id)
                return found if found is not None and found.wins == 4 else None

            topic = await _found(approved)
            assert (topic.seen, topic.trials) == (4, 4)
            assert topic.writers["large"][1] >= 4, "trials of its recipes tell of it too"
            send(create_app(redis_url), "learn.consolidate", owner, topic.id)

            async def proposed() -> list[Entry] | None:
                entries = await parts.recall.of_topic(topic)
                return entries if sum(entry.kind == "behaviour" for entry in entries) == 2 else None

            entries = await _found(proposed)
    by_name = {entry.name: entry for entry in entries}
    assert by_name["count_each_group"].text == "Count every group of things once and add the counts."
    assert by_name["name_the_unit"].text == "Write the unit beside every number system before adding."
    assert by_name["program(small)"].kind == "recipe"
    assert {entry.status for entry in entries} == {"candidate"}
    assert (by_name["count_each_group"].rank, by_name["name_the_unit"].rank) == (1, 2)


async def test_questions_of_a_kind_begin_a_topic_although_their_form_has_entries(
    workshop: Workshop,
    tandem: Tandem,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    topics = []
    for number in range(5):
        if number == 1:
            await parts.entries.put(recipe(owner, topic="any-number", pair=parts.pair, version=parts.version))
        [run] = await ask(tandem, request_for, owner, 1, first=number)
        learned = await workshop.learn(run, owner)
        assert learned is not None
        topics.append(learned.topic)
    assert topics[:2] == ["any-number"] * 2
    assert topics[2] == topics[3] == topics[4] != "any-number"
    known = await parts.topics.get(owner, topics[4])
    assert known is not None and known.seen == 3
    names = [entry.name for entry in sorted(await parts.recall.of_topic(known), key=lambda entry: entry.rank)]
    assert names == ["program(large)", "direct(large)", "program(small)"], "tried from the start"


async def test_trials_in_shadow_promote_what_saves_and_nobody_sees_them(
    settings: Settings,
    redis_url: str,
    tandem: Tandem,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program " * 40))
    generous = settings.playbook.model_copy(update={"guard": Stakes(margin=0.3)})
    settings = settings.model_copy(update={"playbook": generous})
    async with open_workshop(settings, create_app(redis_url)) as workshop:
        _, thrifty = await alone_on_trial(tandem, workshop, parts, request_for, owner)
        for number in range(40):
            [run] = await ask(tandem, request_for, owner, 1, first=100 + number)
            await tandem.database.save_feedback(run, owner, Feedback(rating=1))
            await workshop.learn(run, owner)
            await workshop.shadow(run, owner)
            await workshop.shadow(run, owner)  # one that comes twice has the question before it, if not tried on that
            known = await parts.entries.get(owner, thrifty.id)
            assert known.evidence.compared == number + 2
            if known.status == "promoted":
                break
    assert known.status == "promoted"
    assert known.trials == known.wins >= Stakes().least
    stored = {entry.id: entry for entry in map(Entry.model_validate, await tandem.database.stored_entries(owner))}
    assert stored[thrifty.id].status == "promoted"


async def test_a_trial_that_writes_twice_what_the_default_did_is_cut_off_and_lost(
    tandem: Tandem,
    workshop: Workshop,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    run, wordy = await alone_on_trial(tandem, workshop, parts, request_for, owner)
    written = (await tandem.runs.get(run, owner)).ledger
    assert written is not None
    most = 2 * sum(usage.completion for usage in written.tokens.values()) + 50
    scripted.script = Script(default=say("Let me think. ", endless=True))
    assert await workshop.shadow(run, owner) == 1
    tried = await parts.entries.get(owner, wordy.id)
    assert (tried.wins, tried.trials) == (0, 1)
    assert tried.tokens <= most


async def test_a_run_is_learned_from_though_the_database_was_locked_when_its_turn_came(
    tmp_path: Path,
    redis_url: str,
    settings: Settings,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    scripted.script = Script(replies=(RIGHT,), default=say("no program"))
    always = settings.playbook.model_copy(update={"control": 0.0})
    async with open_tandem(settings.model_copy(update={"playbook": always})) as tandem:
        entry = await promoted(parts, recipe(owner, "cot(small)"))
        [run] = await ask(tandem, request_for, owner, 1)
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        with closing(sqlite3.connect(tmp_path / "tandem.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with _worker(tmp_path, redis_url, scripted.url):
                log = tmp_path / "learn.log"
                await eventually(lambda: "DatabaseAway" in log.read_text(), seconds=60)
                other.execute("ROLLBACK")

                async def kept() -> Entry | None:
                    stored = map(Entry.model_validate, await tandem.database.stored_entries(owner))
                    return next((each for each in stored if each.id == entry.id), None)

                stored = await _found(kept)
    assert (stored.trials, stored.wins) == (31, 30.0)
    assert (await parts.entries.get(owner, entry.id)).trials == 31, "and once"
