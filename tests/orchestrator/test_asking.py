"""One clarifying question, answered in the same thread."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agents.events import Charged, Event, QuestionAsked, RunStarted
from orchestrator.answer_text import answer_text, open_question
from orchestrator.compose import Tandem, build_controller, open_tandem
from orchestrator.finish import finished
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.state import RunContext
from orchestrator.strategies import build_strategies
from orchestrator.threads import StoredThreads
from tests.orchestrator.conftest import events_of, last_of, settings_for
from tools.sandbox.bubblewrap import BubblewrapSandbox
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget, Ledger
from workers.messages import Message

Requests = Callable[..., RunRequest]

PROBLEM = "Ann has 5 boxes of apples and gives 2 apples away. How many apples does she have left?"
ASKS = "How many apples are in each box?"
SCRIPT = Script(
    replies=(
        say("no", match="everything that is needed"),
        say(f"{ASKS} I need to know.", match="short question to ask"),
        say("So it is \\boxed{48}.", match="(?s)10 in each.*step by step"),
        say("So it is \\boxed{7}.", match="step by step"),
    ),
    # No program, so that nothing supports the answer.
    default=say("I would rather not."),
)


@pytest.fixture(autouse=True)
def script(scripted: ScriptedServer) -> None:
    scripted.script = SCRIPT


async def test_a_question_is_asked_and_the_reply_answers_it(
    tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    first = request_for(PROBLEM)
    events = await events_of(tandem, await tandem.runs.start(first), owner)
    asked = last_of(events)
    assert (asked.status, asked.finish_reason, asked.text, asked.value) == ("needs_input", "stop", ASKS, None)
    [question] = [e for e in events if isinstance(e, QuestionAsked)]
    assert question.question == ASKS
    assert "".join(e.text for e in events if e.type == "content.delta") == ASKS
    messages = (
        *first.messages,
        Message(role="assistant", content=ASKS),
        Message(role="user", content="There are 10 in each of them."),
    )
    # By the messages that the caller repeats, as a chat client sends them.
    run = await tandem.runs.start(first.model_copy(update={"messages": messages}))
    answered = await events_of(tandem, run, owner)
    assert (last_of(answered).status, last_of(answered).value) == ("answered", "48")
    charges = [e.charge for e in answered if isinstance(e, Charged)]
    assert sum(c.usage.completion for c in charges) == last_of(answered).ledger.tokens["large"].completion


async def test_the_reply_alone_is_enough_where_the_thread_is_named(
    tandem: Tandem, request_for: Requests, owner: str
) -> None:
    events = await events_of(tandem, await tandem.runs.start(request_for(PROBLEM)), owner)
    alone = RunRequest(owner=owner, thread=asked_thread(events), messages=(Message(role="user", content="10 in each"),))
    assert last_of(await events_of(tandem, await tandem.runs.start(alone), owner)).value == "48"


def asked_thread(events: list[Event]) -> str:
    """A thread without a name goes by its run."""
    [started] = [e for e in events if isinstance(e, RunStarted)]
    return started.run


async def test_a_run_that_goes_on_with_a_reply_survives_its_gateway(
    settings: Settings, tandem: Tandem, request_for: Requests, owner: str
) -> None:
    first = request_for(PROBLEM)
    offers = Offers(settings, tuple(build_strategies(settings)))
    controller = build_controller(
        settings, offers, BubblewrapSandbox(), StoredThreads(tandem.database), InMemorySaver()
    )
    park = ModelPark(settings, None)

    def context(run: str, dies: bool = False) -> RunContext:
        async def emit(event: Event) -> None:
            if dies and event.type == "step.started":
                raise RuntimeError("the gateway dies here")

        ledger = Ledger(Budget())
        return RunContext(run=run, emit=emit, ledger=ledger, models=park.for_run(ledger, emit), problem=park.problem)

    asked = await controller.run(first, context("a" * 32))
    assert open_question(asked) is not None
    reply = RunRequest(owner=owner, thread="a" * 32, messages=(Message(role="user", content="10 in each"),))
    with pytest.raises(RuntimeError, match="dies"):
        await controller.run(reply, context("b" * 32, dies=True))
    assert await controller.checkpointed("b" * 32)
    resumed = await controller.resume(context("b" * 32))
    assert answer_text(resumed) == "48"
    await park.aclose()


async def test_a_benchmark_without_checkpoints_sees_the_question_too(settings: Settings, request_for: Requests) -> None:
    offers = Offers(settings, tuple(build_strategies(settings)))
    controller = build_controller(settings, offers, BubblewrapSandbox())
    park = ModelPark(settings, None)

    async def emit(event: Event) -> None:
        return None

    ledger = Ledger(Budget())
    models = park.for_run(ledger, emit)
    context = RunContext(run="c" * 32, emit=emit, ledger=ledger, models=models, problem=park.problem)
    last = finished(await controller.run(request_for(PROBLEM), context), ledger.summary())
    assert (last.status, last.text) == ("needs_input", ASKS)
    await park.aclose()


async def test_another_owner_cannot_answer(tandem: Tandem, request_for: Requests, owner: str) -> None:
    events = await events_of(tandem, await tandem.runs.start(request_for(PROBLEM)), owner)
    alone = (Message(role="user", content="10 in each"),)
    stranger = RunRequest(owner="somebody else", messages=alone, thread=asked_thread(events))
    last = last_of(await events_of(tandem, await tandem.runs.start(stranger), "somebody else"))
    assert last.value is None


async def test_a_new_question_is_no_reply_and_is_not_met_with_another_question(
    tandem: Tandem, request_for: Requests, owner: str
) -> None:
    events = await events_of(tandem, await tandem.runs.start(request_for(PROBLEM)), owner)
    other = request_for("Bob has 3 bags of nuts and eats 2 nuts. How many nuts are left?", thread=asked_thread(events))
    last = last_of(await events_of(tandem, await tandem.runs.start(other), owner))
    assert (last.status, last.value) == ("answered", "7")


async def test_a_named_strategy_and_a_model_that_sees_nothing_missing_ask_nothing(
    tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    named = last_of(await events_of(tandem, await tandem.runs.start(request_for(PROBLEM, model="cot")), owner))
    assert (named.status, named.value) == ("answered", "7")
    scripted.script = Script(replies=(say("yes", match="everything that is needed"), *SCRIPT.replies[1:]))
    kept = last_of(await events_of(tandem, await tandem.runs.start(request_for(PROBLEM)), owner))
    assert (kept.status, kept.value) == ("answered", "7")


@pytest.fixture
async def unsuspecting(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> AsyncIterator[Tandem]:
    async with open_tandem(settings_for(tmp_path, redis_url, scripted.url, TANDEM__AUTO__ASK_WORDS="1.1")) as opened:
        yield opened


async def test_suspicion_can_be_switched_off_alone(
    unsuspecting: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    scripted.script = Script(replies=(say("yes", match="everything that is needed"), *SCRIPT.replies[1:]))
    suspicious = request_for("Ann picks 5 red apples and some green apples, and eats 2. How many apples does she have?")
    assert last_of(await events_of(unsuspecting, await unsuspecting.runs.start(suspicious), owner)).value == "7"


@pytest.fixture
async def silent(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> AsyncIterator[Tandem]:
    async with open_tandem(settings_for(tmp_path, redis_url, scripted.url, TANDEM__AUTO__ASK="false")) as opened:
        yield opened


async def test_asking_can_be_switched_off(silent: Tandem, request_for: Requests, owner: str) -> None:
    last = last_of(await events_of(silent, await silent.runs.start(request_for(PROBLEM)), owner))
    assert (last.status, last.value) == ("answered", "7")


async def test_an_abstention_says_what_was_tried(
    tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=say("Yes, I could."))
    last = last_of(await events_of(tandem, await tandem.runs.start(request_for(PROBLEM, effort="low")), owner))
    assert last.status == "abstained"
    assert "program on large" in last.text
    assert "cot on large" in last.text


async def test_what_the_words_show_to_be_missing_is_asked_about_before_any_model_is(
    tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    first = request_for("Ann has 5 boxes of several apples each and gives 2 away. How many does she have left?")
    asked = last_of(await events_of(tandem, await tandem.runs.start(first), owner))
    assert (asked.status, scripted.stats.requests) == ("needs_input", 0)
    assert "“several apples”" in asked.text
    messages = (
        *first.messages,
        Message(role="assistant", content=asked.text),
        Message(role="user", content="There are 10 in each of them."),
    )
    answered = await events_of(tandem, await tandem.runs.start(first.model_copy(update={"messages": messages})), owner)
    # The completed question still says "several": it is not asked about twice.
    assert (last_of(answered).status, last_of(answered).value) == ("answered", "48")


async def test_a_suspicious_question_is_asked_about_before_any_attempt(
    tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    suspicious = request_for("Ann picks 5 red apples and some green apples, and eats 2. How many apples does she have?")
    asked = last_of(await events_of(tandem, await tandem.runs.start(suspicious), owner))
    assert (asked.status, asked.text) == ("needs_input", ASKS)
    assert scripted.stats.requests == 1, "only what it asks was written"


@pytest.mark.parametrize(
    "fields",
    [
        {"json_schema": {"type": "object"}},
        {"tools": ({"type": "function", "function": {"name": "count", "parameters": {"type": "object"}}},)},
    ],
)
async def test_a_program_that_wants_the_models_own_words_is_asked_nothing(
    tandem: Tandem, request_for: Requests, owner: str, fields: dict[str, object]
) -> None:
    lacks_a_number = request_for("Ann has 5 boxes of apples. How many apples does she have?", **fields)
    events = await events_of(tandem, await tandem.runs.start(lacks_a_number), owner)
    assert last_of(events).status == "answered"


async def test_a_chat_pages_own_request_is_asked_nothing(tandem: Tandem, request_for: Requests, owner: str) -> None:
    title = request_for(
        "### Task:\nGenerate a concise title for this chat.\n### Chat History:\n<chat_history>\n"
        "Ann has 5 boxes of apples. How many apples does she have?"
    )
    assert last_of(await events_of(tandem, await tandem.runs.start(title), owner)).status == "answered"
