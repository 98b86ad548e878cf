"""Trials on questions that the default got wrong, and on those of which nobody knows."""

import pytest

from orchestrator.playbook.parts import PlaybookParts
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from tests.orchestrator.playbook.building import behaviour, for_fruits, recipe
from tests.orchestrator.playbook.trials import Trials
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer

_NO_PROGRAM = say("no program", match="Python program")
_RIGHT, _WRONG = say("It is \\boxed{12}.", match="step by step"), say("It is \\boxed{13}.", match="step by step")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"playbook": PlaybookSettings(recall_milliseconds=5000, control=0.0)})


@pytest.mark.parametrize("said", [_WRONG, _RIGHT], ids=["the same", "another answer"])
async def test_a_recipe_loses_nothing_where_the_default_was_called_wrong(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str, said: Reply
) -> None:
    """Nor has it won: of another answer nobody knows whether it is right. What it saves is known."""
    await for_fruits(parts, behaviour(owner))
    entry = await for_fruits(parts, recipe(owner, "cot(small)"))
    scripted.script = Script(replies=(_NO_PROGRAM, _WRONG))
    taught, told, topic = await trials.asked(5, -1)
    assert await trials.shadows.candidate(taught, told, topic) == entry, "what stands in prompts is not tried there"
    scripted.script = Script(replies=(said,))
    gain = await trials.shadows.run(taught, told, topic, entry)
    assert gain is not None and gain.right == 0.0
    assert gain.total > 0 and gain.kept > 0
    known = await trials.entry(entry)
    assert (known.trials, known.wins, known.evidence.compared) == (1, 0.0, 1)
    after = await parts.topics.get(owner, topic.id)
    assert after is not None and "small" not in after.writers, "and how the small model does is not known from it"


async def test_nothing_is_tried_where_nobody_knows_whether_the_default_was_right(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    entry = await for_fruits(parts, recipe(owner, "cot(small)"))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    taught, told, topic = await trials.asked(5, None)
    assert told.won == 0.0, "no verifier supports it"
    assert await trials.shadows.run(taught, told, topic, entry) is None


async def test_a_rating_makes_another_outcome_of_a_trial(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    entry = await for_fruits(parts, recipe(owner, "cot(small)"))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    taught, told, topic = await trials.asked(5, 1)
    scripted.script = Script(replies=(_WRONG,))
    edges = []
    for rating in (1, -1):
        taught, told, topic = await trials.rated(taught, rating)
        assert await trials.shadows.candidate(taught, told, topic) is not None
        await trials.shadows.run(taught, told, topic, entry)
        assert await trials.shadows.candidate(taught, told, topic) is None
        known = await trials.entry(entry)
        edges.append((known.evidence.compared, known.evidence.edge))
    assert edges == [(1, -1.0), (1, 0.0)]
