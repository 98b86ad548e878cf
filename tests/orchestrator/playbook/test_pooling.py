"""A recipe is proved by what it did in all topics of its owner, kept in a real Redis."""

import pytest

from orchestrator.playbook.archived import NoArchive
from orchestrator.playbook.entry import Entry
from orchestrator.playbook.evidence import Stakes, counts_everywhere, paired
from orchestrator.playbook.learner import Learner
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.records import Part
from tests.orchestrator.playbook.building import recipe

_STAKES = Stakes()


class _Topics:
    """Trials of recipes in topics of one owner, as they are added from shadow."""

    def __init__(self, parts: PlaybookParts, owner: str) -> None:
        self._parts = parts
        self._owner = owner
        self._learner = Learner(parts, NoArchive(), _STAKES, {})

    async def begun(self, topic: str, **fields: object) -> Entry:
        entry = recipe(self._owner, "program(large)", topic=topic, **fields)
        await self._parts.entries.put(entry)
        return entry

    async def tried(self, entry: Entry, *outcomes: bool, named: str = "trial") -> None:
        """Each outcome is right or lost, at a quarter of the cost."""
        for number, won in enumerate(outcomes):
            known = await self.now(entry)
            gain = paired(won, 1.0, True, 4.0, _STAKES)
            part = Part(entry=entry.id, won=float(won), gain=gain, pooled=counts_everywhere(known, _STAKES))
            name = f"{named} {entry.id} {known.evidence.compared} {number}"
            await self._parts.records.add(entry.owner, name, entry.topic, {}, [part], f"run{number}")
            await self._learner.judge(entry.owner, [entry.id], None)

    async def now(self, entry: Entry) -> Entry:
        return await self._parts.entries.get(self._owner, entry.id)


@pytest.fixture
def topics(parts: PlaybookParts, owner: str) -> _Topics:
    return _Topics(parts, owner)


async def test_topics_prove_a_recipe_together_which_none_of_them_could(topics: _Topics) -> None:
    entries = [await topics.begun(f"topic{number}") for number in range(4)]
    for entry in entries[:3]:
        await topics.tried(entry, *[True] * 15)
    assert {(await topics.now(entry)).status for entry in entries} == {"candidate"}
    await topics.tried(entries[3], *[True] * 18)
    assert {(await topics.now(entry)).status for entry in entries} == {"promoted"}, "in all of them at once"


async def test_it_is_not_used_where_its_own_outcomes_speak_against_it(topics: _Topics) -> None:
    entries = [await topics.begun(f"topic{number}") for number in range(5)]
    await topics.tried(entries[4], True, False, True, False)
    for entry in entries[:4]:
        await topics.tried(entry, *[True] * 25)
    assert [(await topics.now(entry)).status for entry in entries] == [*["promoted"] * 4, "candidate"]
    late = await topics.begun("late")
    await topics.tried(late, *[True] * 5)
    assert (await topics.now(late)).status == "candidate"
    await topics.tried(late, True)
    assert (await topics.now(late)).status == "promoted", "six of its own are enough where others have proved it"


async def test_only_the_same_recipe_with_the_same_models_and_prompts_counts(topics: _Topics) -> None:
    entry = await topics.begun("topic")
    others = [await topics.begun("other", pair="another pair"), await topics.begun("other", version="2")]
    for other in others:
        await topics.tried(other, *[True] * 50)
    await topics.tried(entry, *[True] * 20)
    assert (await topics.now(entry)).status == "candidate"


async def test_what_is_taken_back_counts_nowhere(topics: _Topics, parts: PlaybookParts, owner: str) -> None:
    entry = await topics.begun("topic")
    await topics.tried(entry, *[True] * 8)
    before = (await topics.now(entry)).evidence
    assert before.pooled and before.pooled[0] > 0
    await topics.tried(entry, True, named="deleted")
    assert (await topics.now(entry)).evidence.pooled > before.pooled
    await parts.records.take_back(owner, f"deleted {entry.id} 8 0")
    assert (await topics.now(entry)).evidence.pooled == pytest.approx(before.pooled)
    await parts.entries.set_status(owner, entry.id, "disabled")
    await parts.entries.set_status(owner, entry.id, "candidate")
    assert (await topics.now(entry)).evidence.pooled == (), "it begins anew"
