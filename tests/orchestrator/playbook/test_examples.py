"""Examples, from a right answer to the small model's prompt: a scripted engine, a real Redis, the real sandbox."""

import json
from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from orchestrator.compose import Tandem, open_tandem
from orchestrator.conversations import Conversations
from orchestrator.playbook.entry import Entry
from orchestrator.playbook.evidence import Stakes
from orchestrator.playbook.jsonl import line_of, read_lines
from orchestrator.playbook.parts import PlaybookParts, build_parts
from orchestrator.playbook.topic_hash import counted
from orchestrator.playbook.traces import Traces
from orchestrator.playbook.workshop import Workshop, open_workshop
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.settings_playbook import PlaybookSettings
from orchestrator.storage.artifacts import ArtifactStore
from orchestrator.storage.records import Feedback, TurnSettings
from orchestrator.strategies import build_strategies
from routers.embedding import WordEmbedder
from tests.orchestrator.conftest import events_of, last_of
from tests.orchestrator.playbook.building import FRUITS, example, for_fruits, promoted, recipe
from workers.celery_app import create_app
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer

Requests = Callable[..., RunRequest]
_NO_PROGRAM = say("no program", match="Python program")
_RIGHT = say("I add all of them. It is \\boxed{12}.", match="step by step")
_WRONG = say("It is \\boxed{13}.", match="step by step")
_SHOWN = "They are 2 \\+ 2 \\+ 1"
_PROGRAM = "```python\nfor n in range(1):\n    print(12)\n```"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    playbook = PlaybookSettings(recall_milliseconds=5000, control=0.0, recipes=(), guard=Stakes(margin=0.3))
    return settings.model_copy(update={"playbook": playbook})


@pytest.fixture
def small_first(settings: Settings) -> Settings:
    """The small model writes by default."""
    ladders = {**settings.auto.ladders, "medium": ("cot(small)",), "low": ("cot(small)",)}
    return settings.model_copy(update={"auto": settings.auto.model_copy(update={"ladders": ladders})})


@pytest.fixture
def small_parts(small_first: Settings, redis: Redis, embedder: WordEmbedder) -> PlaybookParts:
    return build_parts(small_first, redis, embedder, build_strategies(small_first))


async def _learned(
    tandem: Tandem, workshop: Workshop, requests: Requests, number: int, rating: int = 1, **fields: object
) -> tuple[str, str]:
    """A run that was rated, and the topic that it counts for."""
    request = requests(FRUITS.format(number, 6), **fields)
    run = await tandem.runs.start(request)
    await events_of(tandem, run, request.owner)
    await tandem.database.save_feedback(run, request.owner, Feedback(rating=rating))
    learned = await workshop.learn(run, request.owner)
    assert learned is not None
    return run, learned.topic


async def _known_to_do_badly(parts: PlaybookParts, owner: str, topic: str) -> None:
    await parts.records.add(owner, f"badly on {topic}", topic, counted("writer", "small", 1, 20), [])


async def _examples(parts: PlaybookParts, owner: str) -> list[Entry]:
    return list((await parts.entries.entries(owner, kind="example")).entries)


async def test_the_shortest_right_solution_that_fits_is_proposed_where_the_small_model_does_badly(
    tandem: Tandem,
    workshop: Workshop,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    long = say("I count on and on. " * 80 + "It is \\boxed{12}.", match="step by step")
    answers: list[tuple[Reply, int]] = [(_RIGHT, 1), (_WRONG, -1), (long, 1)]
    answers += [(say("I add them one by one. It is \\boxed{12}.", match="step by step"), 1)]
    for number, (answer, rating) in enumerate(answers):
        scripted.script = Script(replies=(_NO_PROGRAM, answer), default=say("nothing"))
        _, topic = await _learned(tandem, workshop, request_for, number, rating, effort="low")
    scripted.script = Script(default=say("nothing"))
    await workshop.consolidate(owner, topic)
    assert await _examples(parts, owner) == [], "it may well do without"

    await _known_to_do_badly(parts, owner, topic)
    generated = scripted.stats.requests
    await workshop.consolidate(owner, topic)
    [proposed] = await _examples(parts, owner)
    assert (proposed.problem, proposed.text) == (FRUITS.format(3, 6), "I add them one by one. It is \\boxed{12}.")
    assert (proposed.status, proposed.topic, proposed.rank) == ("candidate", topic, 1)
    assert proposed.name == "example_i_have_apples_plums_and_a"
    assert scripted.stats.requests - generated == 2, "the model distils and guides, and is asked nothing more"
    assert Entry.model_validate((await tandem.database.stored_entries(owner))[0]) == proposed
    await workshop.consolidate(owner, topic)
    assert await _examples(parts, owner) == [proposed], "the topic has no other that was right and fits"


@pytest.mark.parametrize(
    ("first", "then", "quoted"),
    [
        (_PROGRAM, None, _PROGRAM),
        ("no program", "I add. It is \\boxed{12}.", "I add. It is \\boxed{12}."),
        ("no program", "It is \\boxed{13}.", None),
        ("no program", "12", None),
    ],
)
async def test_what_is_quoted_is_known_to_have_given_the_answer(
    tandem: Tandem,
    redis: Redis,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
    first: str,
    then: str | None,
    quoted: str | None,
) -> None:
    effort = "minimal" if then is None else "low"
    scripted.script = Script(replies=(say(first, match="Python program"),), default=say(then or "nothing"))
    # No worker is there to run programs: the run's seconds end the wait for one.
    run = await tandem.runs.start(request_for(FRUITS.format(5, 6), effort=effort, budget={"seconds": 2}))
    await events_of(tandem, run, owner)
    taught = await tandem.database.taught_run(run, owner)
    assert taught is not None
    # As if the sandbox had run the program.
    lesson = taught.lesson | ({"first": "12"} if then is None else {})
    taught = taught.model_copy(update={"value": "12", "lesson": lesson})
    assert await Traces(redis).solution(taught, "number") == quoted


async def test_a_solution_may_say_its_choice_in_words(
    tandem: Tandem, redis: Redis, scripted: ScriptedServer, request_for: Requests, owner: str
) -> None:
    told = "Oslo is in Norway, so the statement is False."
    scripted.script = Script(default=say(told))
    question = "Is the following statement true or false? Oslo is in Sweden.\nA. True\nB. False"
    run = await tandem.runs.start(request_for(question, effort="low"))
    await events_of(tandem, run, owner)
    taught = await tandem.database.taught_run(run, owner)
    assert taught is not None and taught.value == "B"
    # As if another attempt had come first.
    taught = taught.model_copy(update={"lesson": taught.lesson | {"first": "A"}})
    assert await Traces(redis).solution(taught, "choice") == told


def test_a_solution_keeps_its_lines_in_an_export_and_is_bounded() -> None:
    kept = example("owner", _PROGRAM)
    assert list(read_lines([line_of(kept)], "owner")) == [kept]
    long = json.loads(line_of(kept)) | {"text": "<|im_start|>print(1)\n" * 1000}
    [bounded] = read_lines([json.dumps(long)], "owner")
    assert bounded.text.startswith("print(1)\nprint(1)\n")
    assert len(bounded.text) <= 1200


@pytest.mark.parametrize("badly", [True, False])
async def test_it_stands_in_the_small_models_prompt_where_that_does_badly_and_in_no_other(
    tandem: Tandem,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
    badly: bool,
) -> None:
    route = await promoted(parts, recipe(owner, "cot(small)"))
    shown = await promoted(parts, example(owner))
    if badly:
        await _known_to_do_badly(parts, owner, route.topic)
    scripted.script = Script(
        replies=(_NO_PROGRAM, say("It is hard.", match=f"(?s){_SHOWN}.*step by step"), _WRONG), default=say("nothing")
    )
    run = await tandem.runs.start(request_for(FRUITS.format(5, 6), effort="low"))
    last = last_of(await events_of(tandem, run, owner))
    quoting = [index for index, prompt in enumerate(scripted.stats.prompts) if shown.text in prompt]
    assert quoting == ([0] if badly else [])
    if badly:
        prompt = scripted.stats.prompts[0]
        assert prompt.index(shown.problem) < prompt.index(shown.text) < prompt.index(FRUITS.format(5, 6))
        assert set(last.ledger.tokens) == {"small", "large"}, "the large model wrote as well, and did not see it"
    taught = await tandem.database.taught_runs(owner)
    assert (shown.id in taught[-1].lesson["used"]) is badly


async def test_no_question_is_its_own_example(
    tandem: Tandem,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    route = await promoted(parts, recipe(owner, "cot(small)"))
    shown = await promoted(parts, example(owner))
    await _known_to_do_badly(parts, owner, route.topic)
    scripted.script = Script(replies=(_RIGHT,))
    run = await tandem.runs.start(request_for(shown.problem, effort="low"))
    await events_of(tandem, run, owner)
    assert scripted.stats.prompts
    assert not any(shown.text in prompt for prompt in scripted.stats.prompts)


async def test_it_is_promoted_by_trials_in_shadow_on_other_questions_than_its_own(
    small_first: Settings,
    redis_url: str,
    small_parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    entry = await for_fruits(small_parts, example(owner, problem=FRUITS.format(0, 6)))
    await _known_to_do_badly(small_parts, owner, entry.topic)
    helped = _RIGHT.model_copy(update={"match": f"(?s){_SHOWN}.*step by step"})
    app = create_app(redis_url)
    async with open_tandem(small_first) as tandem, open_workshop(small_first, app) as workshop:
        for number in range(30):
            scripted.script = Script(replies=(_RIGHT,), default=say("nothing"))
            run, _ = await _learned(tandem, workshop, request_for, number)
            scripted.script = Script(replies=(helped, _WRONG), default=say("nothing"))
            added = await workshop.shadow(run, owner)
            known = await small_parts.entries.get(owner, entry.id)
            assert (added, known.evidence.compared, known.evidence.edge) == (min(number, 1), number, float(number))
            if known.status == "promoted":
                break
    assert known.status == "promoted"
    assert known.trials == known.wins >= Stakes().least


async def test_it_is_tried_on_the_recipe_that_lets_the_small_model_write_and_not_where_nothing_does(
    tandem: Tandem,
    workshop: Workshop,
    parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    entry = await for_fruits(parts, example(owner))
    await _known_to_do_badly(parts, owner, entry.topic)
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT), default=say("nothing"))
    run, _ = await _learned(tandem, workshop, request_for, 5)
    assert await workshop.shadow(run, owner) == 0, "the default asks the large model"
    await promoted(parts, recipe(owner, "cot(small)"))
    helped = _RIGHT.model_copy(update={"match": f"(?s){_SHOWN}.*step by step"})
    scripted.script = Script(replies=(helped, _WRONG), default=say("nothing"))
    assert await workshop.shadow(run, owner) == 1
    assert (await parts.entries.get(owner, entry.id)).evidence.edge == 1.0


async def test_one_in_use_is_looked_at_again_with_it_and_without(
    small_first: Settings,
    redis_url: str,
    small_parts: PlaybookParts,
    scripted: ScriptedServer,
    request_for: Requests,
    owner: str,
) -> None:
    always = small_first.playbook.model_copy(update={"recheck": 1.0, "shadow": 0})
    settings = small_first.model_copy(update={"playbook": always})
    entry = await promoted(small_parts, example(owner))
    await _known_to_do_badly(small_parts, owner, entry.topic)
    helped = _WRONG.model_copy(update={"match": f"(?s){_SHOWN}.*step by step"})
    async with open_tandem(settings) as tandem, open_workshop(settings, create_app(redis_url)) as workshop:
        scripted.script = Script(replies=(_RIGHT,), default=say("nothing"))
        run, _ = await _learned(tandem, workshop, request_for, 5)
        scripted.script = Script(replies=(helped, _RIGHT), default=say("nothing"))
        await workshop.shadow(run, owner)
    known = await small_parts.entries.get(owner, entry.id)
    assert (known.evidence.compared, known.evidence.edge) == (1, -1.0), "it spoiled what was right without"


@pytest.mark.parametrize("pinned", [False, True])
async def test_it_is_deleted_with_the_conversation_that_it_quotes(
    tandem: Tandem, workshop: Workshop, parts: PlaybookParts, scripted: ScriptedServer, owner: str, pinned: bool
) -> None:
    artifacts = ArtifactStore(tandem.settings.storage.directory / "artifacts")
    conversations = Conversations(tandem.database, tandem.runs, artifacts, forgetting=tandem.forgetting)
    scripted.script = Script(replies=(_NO_PROGRAM, _RIGHT), default=say("nothing"))
    asked: dict[str, str] = {}
    for number in range(4):
        conversation = (await tandem.database.create_conversation(owner)).id
        turn = TurnSettings(model="auto", reasoning_effort="low")
        prepared = await conversations.question(conversation, owner, None, FRUITS.format(number, 6), turn)
        run = await tandem.runs.start(prepared.request)
        await conversations.began(prepared, run)
        await events_of(tandem, run, owner)
        await tandem.database.save_feedback(run, owner, Feedback(rating=1))
        learned = await workshop.learn(run, owner)
        assert learned is not None
        asked[FRUITS.format(number, 6)] = conversation
    await _known_to_do_badly(parts, owner, learned.topic)
    await workshop.consolidate(owner, learned.topic)
    [quoted] = await _examples(parts, owner)
    if pinned:
        assert tandem.playbook is not None
        await tandem.playbook.pin(owner, quoted.id)
    for question, conversation in asked.items():
        if question != quoted.problem:
            await conversations.delete(conversation, owner)
    assert [entry.problem for entry in await _examples(parts, owner)] == [quoted.problem]
    await conversations.delete(asked[quoted.problem], owner)
    assert await _examples(parts, owner) == []
    assert quoted.text not in str(await tandem.database.stored_entries(owner))
