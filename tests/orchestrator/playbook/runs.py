"""Runs that the playbook learns from, asked of a whole Tandem."""

from collections.abc import Callable

from orchestrator.compose import Tandem
from orchestrator.playbook.entry import Entry
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.workshop import Workshop
from orchestrator.runs import RunRequest
from orchestrator.storage.records import Feedback
from tests.orchestrator.conftest import events_of
from tests.orchestrator.playbook.building import FRUITS, recipe
from workers.engines.scripted.script import say

Requests = Callable[..., RunRequest]
RIGHT = say("It is \\boxed{12}.", match="step by step")


async def ask(tandem: Tandem, request_for: Requests, owner: str, times: int, first: int = 0) -> list[str]:
    runs = []
    for number in range(first, first + times):
        run = await tandem.runs.start(request_for(FRUITS.format(number, 6), effort="low"))
        await events_of(tandem, run, owner)
        runs.append(run)
    return runs


async def alone_on_trial(
    tandem: Tandem, workshop: Workshop, parts: PlaybookParts, request_for: Requests, owner: str
) -> tuple[str, Entry]:
    """The run that begins a topic, approved like the two before it, and the topic's only candidate: `cot(small)`."""
    for run in await ask(tandem, request_for, owner, 3):
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        await workshop.learn(run, owner)
    topic = next(topic for topic in await parts.topics.all(owner) if not topic.id.startswith("any-"))
    for seeded in await parts.recall.of_topic(topic):
        await parts.entries.delete(owner, seeded.id)
    entry = recipe(owner, "cot(small)", topic=topic.id, problem=topic.problem, pair=parts.pair, version=parts.version)
    await parts.entries.put(entry)
    return run, entry
