"""Conversations over the real controller: what a branch inherits, what a stop leaves, what a lost gateway leaves."""

import asyncio
import time

from agents.events import RunFinished
from orchestrator.compose import Tandem, open_tandem
from orchestrator.conversations import Conversations, Turn, title_of
from orchestrator.runs import RunRecord, RunRequest, finished
from orchestrator.settings import Settings
from orchestrator.storage.artifacts import ArtifactStore
from orchestrator.storage.records import TurnSettings
from tests.waiting import eventually, eventually_async
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

ENDLESS = Script(default=Reply(texts=("and on ",), delay=0.02, endless=True))


def conversations_of(tandem: Tandem) -> Conversations:
    folder = tandem.settings.storage.directory / "artifacts"
    return Conversations(tandem.database, tandem.runs, ArtifactStore(folder))


async def asked(tandem: Tandem, owner: str, conversation: str, parent: str | None, content: str) -> tuple[Turn, str]:
    """The stored answer turn and the id of its run, which is over."""
    conversations = conversations_of(tandem)
    prepared = await conversations.question(conversation, owner, parent, content, TurnSettings())
    run = await tandem.runs.start(prepared.request)
    turn = (await conversations.began(prepared, run))[-1]
    await finished(tandem.runs.events(run, owner))
    return turn, run


async def difficulty_of(tandem: Tandem, owner: str, run: str) -> float | None:
    return (await tandem.database.get_outcome(run, owner)).difficulty


async def test_a_branch_inherits_the_difficulty_of_the_answer_that_it_follows(
    tandem: Tandem, scripted: ScriptedServer, owner: str
) -> None:
    scripted.script = Script(default=say("The answer is 42."))
    conversation = (await tandem.database.create_conversation(owner)).id
    hard = "A train covers 150 km in 2.5 hours and then 90 km in 3 hours. What is its average speed in km per hour?"
    root, first = await asked(tandem, owner, conversation, None, hard)
    known = await difficulty_of(tandem, owner, first)
    assert known is not None
    elsewhere, _ = await asked(tandem, owner, conversation, root.id, "Hi!")
    await asked(tandem, owner, conversation, elsewhere.id, "What is 1 + 1?")
    _, back = await asked(tandem, owner, conversation, root.id, "go on")
    assert await difficulty_of(tandem, owner, back) == known


async def test_a_stopped_answer_keeps_what_was_read(tandem: Tandem, scripted: ScriptedServer, owner: str) -> None:
    scripted.script = ENDLESS
    request = RunRequest(owner=owner, model="large", messages=(Message(role="user", content="Tell me a story."),))
    run = await tandem.runs.start(request)
    await eventually(lambda: scripted.stats.tokens > 20)
    await tandem.runs.cancel(run, owner)
    events = [event async for _, event in tandem.runs.events(run, owner)]
    streamed = "".join(event.text for event in events if event.type == "content.delta")
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert streamed.startswith("and on and on")
    assert (last.status, last.text) == ("cancelled", streamed)
    assert (await tandem.runs.get(run, owner)).text == streamed


async def test_a_run_under_way_is_listed_and_its_end_is_the_last_word(
    tandem: Tandem, scripted: ScriptedServer, owner: str
) -> None:
    scripted.script = ENDLESS
    request = RunRequest(owner=owner, model="large", messages=(Message(role="user", content="Tell me a story."),))
    run = await tandem.runs.start(request)

    async def listed() -> bool:
        return [(item.id, item.status) for item in await tandem.database.list_runs(owner)] == [(run, "running")]

    await eventually_async(listed)
    await tandem.runs.cancel(run, owner)
    await finished(tandem.runs.events(run, owner))
    scripted.script = Script(default=say("Quick."))
    for _ in range(5):
        quick = await tandem.runs.start(request)
        await finished(tandem.runs.events(quick, owner))
    await asyncio.sleep(0.3)
    assert {item.status for item in await tandem.database.list_runs(owner)} == {"cancelled", "answered"}


async def test_a_run_that_nobody_knows_any_more_is_not_under_way_for_ever(settings: Settings, owner: str) -> None:
    request = RunRequest(owner=owner, messages=(Message(role="user", content="hi"),))
    async with open_tandem(settings) as tandem:
        lost = RunRecord(id="f" * 32, owner=owner, status="running", request=request, created=time.time())
        await tandem.database.save_run(lost)
    async with open_tandem(settings) as tandem:
        found = await tandem.runs.get(lost.id, owner)
    assert found.status == "error"
    assert "send the request again" in (found.error or "")


def test_a_title_is_the_first_words_of_the_question() -> None:
    assert title_of("  What is\n2 + 2?") == "What is 2 + 2?"
    long = title_of("word, " * 50)
    assert (len(long) <= 61, long.endswith("word…")) == (True, True)
    assert title_of("x" * 100) == "x" * 60 + "…"
