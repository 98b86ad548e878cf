"""Trials behind the scenes, on questions of real runs: programs run in the real sandbox, models are scripted."""

import pytest

from orchestrator.compose import Tandem
from orchestrator.model_park import ModelPark
from orchestrator.playbook.entry import Recipe, Worked
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.topic_hash import counted
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from tests.orchestrator.playbook.building import FRUITS, behaviour, for_fruits, promoted, recipe
from tests.orchestrator.playbook.trials import Requests, Trials
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer

_NO_PROGRAM = say("no program", match="Python program")
_RIGHT, _WRONG = say("It is \\boxed{12}.", match="step by step"), say("It is \\boxed{13}.", match="step by step")
_PROGRAM = say("```python\nprint(12)\n```", match="Python program")
_HABIT = "count_twice"


def _advised(reply: Reply) -> Reply:
    """The reply to a prompt with the behaviour."""
    return reply.model_copy(update={"match": f"(?s){_HABIT}.*{reply.match}"})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"playbook": PlaybookSettings(recall_milliseconds=5000, control=0.0)})


@pytest.mark.parametrize(("default", "won", "edge"), [(_PROGRAM, 0.0, -1.0), (_NO_PROGRAM, None, None)])
async def test_an_answer_taken_on_a_recipes_word_is_compared_with_what_the_default_has_evidence_for(
    trials: Trials,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    owner: str,
    default: Reply,
    won: float | None,
    edge: float | None,
) -> None:
    entry = await promoted(parts, recipe(owner, "cot(small)"))
    scripted.script = Script(replies=(_WRONG,))
    taught, told, topic = await trials.asked(5, None)
    assert told.lesson.proven
    scripted.script = Script(replies=(default, _RIGHT))
    gain = await trials.shadows.recheck(taught, told, topic, entry)
    known = await trials.entry(entry)
    if won is None:
        assert gain is None
        assert known.evidence.compared == 0
        return
    assert (known.trials, known.wins) == (31, 29.0 + won)
    assert (known.evidence.compared, known.evidence.edge) == (1, edge)
    generated = scripted.stats.requests
    assert await trials.shadows.recheck(taught, told, topic, entry) is None, "once is enough"
    assert scripted.stats.requests == generated


async def test_a_recipe_that_said_what_the_default_says_loses_nothing(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    entry = await promoted(parts, recipe(owner, "cot(small)"))
    scripted.script = Script(replies=(_RIGHT,))
    taught, told, topic = await trials.asked(5, None)
    scripted.script = Script(replies=(_PROGRAM,))
    gain = await trials.shadows.recheck(taught, told, topic, entry)
    assert gain is not None
    assert (gain.right, gain.kept > 0) == (0.0, True)


@pytest.mark.parametrize(
    ("with_it", "without", "rating", "edge"),
    [
        (_RIGHT, _WRONG, 1, 1.0),
        (_RIGHT, _RIGHT, 1, 0.0),
        (_WRONG, _PROGRAM, -1, -1.0),
        (_WRONG, _WRONG, -1, 0.0),
    ],
)
async def test_a_promoted_behaviour_is_looked_at_again_whether_the_run_was_right_or_wrong(
    trials: Trials,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    owner: str,
    with_it: Reply,
    without: Reply,
    rating: int,
    edge: float,
) -> None:
    """On runs that were right it can only have won, on those that were wrong only have lost."""
    entry = await promoted(parts, behaviour(owner, _HABIT))
    scripted.script = Script(replies=(_advised(with_it), _NO_PROGRAM))
    taught, told, topic = await trials.asked(5, rating)
    assert told.lesson.used == (entry.id,)
    program = say("```python\nprint({})\n```".format("12" if with_it is _RIGHT else "13"), match="Python program")
    other = without if without is _PROGRAM else program if without is with_it else _NO_PROGRAM
    scripted.script = Script(replies=(_advised(program), other, without))
    gain = await trials.shadows.recheck(taught, told, topic, entry)
    assert gain is not None
    assert gain.right == edge
    assert (await trials.entry(entry)).evidence.edge == edge


async def test_what_the_small_model_can_do_is_known_from_trials_though_no_run_lets_it_write(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    entry = await for_fruits(parts, recipe(owner, "cot(small)"))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    runs = [await trials.asked(number, 1) for number in range(5)]
    assert parts.recall.writers(runs[-1][2]) == ("large",)
    scripted.script = Script(replies=(_WRONG,))
    for taught, told, topic in runs:
        assert await trials.shadows.run(taught, told, topic, entry) is not None
    topic = await parts.topics.get(owner, entry.topic)
    assert topic is not None
    assert topic.writers["small"] == (0.0, 5)
    assert parts.recall.writers(topic) == ("small", "large"), "it does badly, so instructions help it"


async def test_behaviours_are_tried_on_those_who_would_be_given_them(
    settings: Settings,
    tandem: Tandem,
    parts: PlaybookParts,
    park: ModelPark,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    ladders = {**settings.auto.ladders, "medium": ("cot(small)",)}
    small_first = settings.model_copy(update={"auto": settings.auto.model_copy(update={"ladders": ladders})})
    trials = Trials(small_first, tandem, parts, park, request_for, owner)
    entry = await for_fruits(parts, behaviour(owner, _HABIT))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    taught, told, topic = await trials.asked(5, 1)
    assert await trials.shadows.candidate(taught, told, topic) is None, "the small model does well without"
    await parts.records.add(owner, "badly", entry.topic, counted("writer", "small", 1, 20), [])
    badly = await parts.topics.get(owner, entry.topic)
    assert badly is not None
    assert await trials.shadows.candidate(taught, told, badly) == await trials.entry(entry)
    scripted.script = Script(replies=(_advised(_RIGHT), _WRONG))
    gain = await trials.shadows.run(taught, told, badly, entry)
    assert gain is not None and gain.right == 1.0


async def test_a_behaviour_may_take_long_where_the_first_route_alone_is_wrong(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    entry = await for_fruits(parts, behaviour(owner, _HABIT))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    taught, told, topic = await trials.asked(5, 1)
    long = "# I count them one by one.\n" * 15
    scripted.script = Script(
        replies=(_advised(say(f"```python\n{long}print(12)\n```", match="Python program")), _NO_PROGRAM)
    )
    gain = await trials.shadows.run(taught, told, topic, entry)
    tried = await trials.entry(entry)
    assert tried.tokens > 2 * told.tokens + 50
    assert gain is not None and gain.right == 1.0


async def test_a_candidate_is_tried_beside_the_behaviours_that_are_in_use(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    await promoted(parts, behaviour(owner, _HABIT))
    entry = await for_fruits(parts, behaviour(owner, "name_units", "Write the unit beside every number."))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    taught, told, topic = await trials.asked(5, 1)
    both = say("```python\nprint(12)\n```", match=f"(?s){_HABIT}.*name_units.*Python program")
    alone = say("```python\nprint(13)\n```", match="Python program")
    scripted.script = Script(replies=(both, alone))
    gain = await trials.shadows.run(taught, told, topic, entry)
    assert gain is not None and gain.right == 1.0


async def test_a_recipe_whose_answers_its_owner_calls_wrong_is_demoted(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    entry = await promoted(parts, recipe(owner, "cot(small)"))
    for number in range(100):
        scripted.script = Script(replies=(_WRONG,))
        taught, told, topic = await trials.asked(number, -1)
        scripted.script = Script(replies=(_PROGRAM,))
        await trials.shadows.recheck(taught, told, topic, entry)
        known = await trials.entry(entry)
        if known.status == "demoted":
            break
    assert known.status == "demoted"
    assert known.evidence.edge == -known.evidence.compared
    assert (known.trials, known.wins) == (30 + known.evidence.compared, 29.0), "each answer is one trial"


@pytest.mark.parametrize(
    ("said", "default", "rating", "edge"),
    [
        (_WRONG, say("```python\nprint(13)\n```", match="Python program"), -1, 0.0),
        (_WRONG, _PROGRAM, -1, -1.0),
        (_WRONG, _NO_PROGRAM, -1, None),
        (_RIGHT, say("```python\nprint(13)\n```", match="Python program"), 1, 1.0),
        (_RIGHT, _NO_PROGRAM, 1, 1.0),
        (_RIGHT, _PROGRAM, 1, 0.0),
    ],
    ids=["both wrong", "lost", "not known", "won", "won where the default has none", "both right"],
)
async def test_what_the_owner_says_of_a_recipes_answer_goes_before_what_the_default_says(
    trials: Trials,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    owner: str,
    said: Reply,
    default: Reply,
    rating: int,
    edge: float | None,
) -> None:
    entry = await promoted(parts, recipe(owner, "cot(small)"))
    scripted.script = Script(replies=(said,))
    taught, told, topic = await trials.asked(5, rating)
    assert told.lesson.proven
    scripted.script = Script(replies=(default,))
    gain = await trials.shadows.recheck(taught, told, topic, entry)
    assert (None if gain is None else gain.right) == edge
    known = await trials.entry(entry)
    assert (known.trials, known.wins) == (31, 29.0 + max(0, rating))


async def test_a_rating_replaces_what_was_made_of_a_recipes_answer_before(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    entry = await promoted(parts, recipe(owner, "cot(small)"))
    scripted.script = Script(replies=(_WRONG,))
    taught, told, topic = await trials.asked(5, None)
    scripted.script = Script(replies=(_PROGRAM,))
    outcomes = []
    for rating in (None, 1, -1, -1):
        if rating is not None:
            taught, told, topic = await trials.rated(taught, rating)
        generated = scripted.stats.requests
        await trials.shadows.recheck(taught, told, topic, entry)
        known = await trials.entry(entry)
        outcomes.append((known.trials, known.wins, known.evidence.compared, known.evidence.edge))
    assert outcomes == [(31, 29.0, 1, -1.0), (31, 30.0, 1, 1.0), (31, 29.0, 1, -1.0), (31, 29.0, 1, -1.0)]
    assert scripted.stats.requests == generated, "the last one said the same again"


async def test_a_run_on_a_recipes_word_is_known_to_have_used_it(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    entry = await promoted(parts, recipe(owner, "cot(small)", used=1000.0))
    scripted.script = Script(replies=(_RIGHT,))
    taught, told, _ = await trials.asked(5, None)
    assert (told.won, told.lesson.used) == (None, (entry.id,))
    known = await trials.entry(entry)
    assert (known.trials, known.wins, known.provenance) == (30, 29.0, (taught.id,))
    assert known.used > 1000.0
    await trials.rated(taught, 1)
    known = await trials.entry(entry)
    assert (known.trials, known.wins, known.provenance) == (31, 30.0, (taught.id,))


async def test_the_small_model_may_do_with_examples_what_it_fails_at_alone(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    """Where neither the default nor a recipe lets it write no example entry is ever tried."""
    shown = tuple(Worked(problem=FRUITS.format(n, 6), solution=f"print({n} + 6 + 1)") for n in (1, 2))
    bare = await for_fruits(parts, recipe(owner, "program(small)"))
    composite = Recipe(strategy="program", models=("small",), examples=shown)
    with_examples = await for_fruits(parts, recipe(owner, recipe=composite))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    taught, told, topic = await trials.asked(5, 1)
    helped = _PROGRAM.model_copy(update={"match": r"(?s)print\(1 \+ 6 \+ 1\).*print\(2 \+ 6 \+ 1\).*Python program"})
    scripted.script = Script(replies=(helped, _NO_PROGRAM))
    gains = [await trials.shadows.run(taught, told, topic, entry) for entry in (bare, with_examples)]
    assert [gain and gain.right for gain in gains] == [-1.0, 0.0]
    after = await parts.topics.get(owner, topic.id)
    assert after is not None and after.writers["small"] == (0.0, 1), "what it can do with them is not what it can do"


async def test_a_recipe_is_not_tried_on_a_question_that_it_quotes(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    shown = (Worked(problem=FRUITS.format(5, 6), solution="It is 12."),)
    entry = await for_fruits(parts, recipe(owner, recipe=Recipe(strategy="cot", models=("small",), examples=shown)))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    taught, told, topic = await trials.asked(5, 1)
    assert await trials.shadows.candidate(taught, told, topic) is None
    assert await trials.shadows.run(taught, told, topic, entry) is None
    taught, told, topic = await trials.asked(6, 1)
    assert await trials.shadows.candidate(taught, told, topic) == entry


async def test_candidates_are_tried_by_thompson_sampling(
    trials: Trials, parts: PlaybookParts, scripted: ScriptedServer, owner: str
) -> None:
    better = await for_fruits(parts, recipe(owner, "cot(small)", trials=10, wins=8.0))
    worse = await for_fruits(parts, recipe(owner, "direct(small)", trials=10, wins=5.0))
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT))
    taught, told, topic = await trials.asked(5, 1)
    picked = []
    for number in range(100):
        entry = await trials.shadows.candidate(taught, told.model_copy(update={"run": f"run{number}"}), topic)
        assert entry is not None
        picked.append(entry.id)
    assert 60 < picked.count(better.id) < 97
    assert picked.count(better.id) + picked.count(worse.id) == 100
