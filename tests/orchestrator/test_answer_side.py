"""The answer-side policy, risks, explanations and stickiness, through a whole Tandem over a scripted engine."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agents.events import Escalated, Routed, Verdict
from orchestrator.compose import Tandem, open_tandem
from orchestrator.offers import Offers
from orchestrator.runs import RunRefused, RunRequest
from orchestrator.settings import Settings
from orchestrator.strategies import build_strategies
from routers.acceptance.card import CardUnreadable
from routers.assessment import Assessment
from routers.sticky import Turn
from tests.orchestrator.conftest import events_of, last_of, settings_for
from tests.sandbox_worker import sandbox_worker
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

Requests = Callable[..., RunRequest]

PROBLEM = "Ann has 5 boxes of 10 apples and gives 2 apples away. How many apples does she have left?"
# The program gives nothing, the chain of thought says 48.
SCRIPT = Script(
    replies=(say("So it is \\boxed{48}.", match="step by step"),),
    default=say("I would rather not."),
)


@pytest.fixture(autouse=True)
def script(scripted: ScriptedServer) -> None:
    scripted.script = SCRIPT


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> Settings:
    return settings_for(tmp_path, redis_url, scripted.url, TANDEM__AUTO__ASK="false")


@pytest.fixture
async def weighing(settings: Settings) -> AsyncIterator[Tandem]:
    """Evidence decides."""
    acceptance = settings.acceptance.model_copy(update={"decides": True})
    async with open_tandem(settings.model_copy(update={"acceptance": acceptance})) as opened:
        yield opened


async def test_evidence_decides_when_an_answer_is_accepted(weighing: Tandem, request_for: Requests, owner: str) -> None:
    events = await events_of(weighing, await weighing.runs.start(request_for(PROBLEM, effort="low")), owner)
    assert last_of(events).value == "48"
    [escalated] = [event for event in events if isinstance(event, Escalated)]
    assert escalated.reason == "no answer so far; cot(large) comes next for a cost of 1.00"
    [verdict] = [event for event in events if isinstance(event, Verdict) and event.verifier == "evidence"]
    assert "likely to be right by its evidence" in verdict.reason


async def test_every_route_that_was_considered_comes_with_what_was_measured(
    tandem: Tandem, request_for: Requests, owner: str
) -> None:
    events = await events_of(tandem, await tandem.runs.start(request_for(PROBLEM)), owner)
    [routed] = [event for event in events if isinstance(event, Routed)]
    assert routed.reason
    assert [one.route for one in routed.considered] == ["program(large)", "cot(large)"]
    for one in routed.considered:
        assert one.success is not None
        assert one.interval is not None
        assert one.interval[0] < one.success < one.interval[1]
        assert one.tokens is not None
        assert one.tokens > 50
    assert routed.considered[1].cost == pytest.approx(1.0)
    decided = await tandem.runs.decide(request_for(PROBLEM))
    assert [(e.route.name, e.success, e.cost) for e in decided.considered] == [
        (one.route, one.success, one.cost) for one in routed.considered
    ]


async def test_a_letter_that_nothing_gives_is_asked_for_directly(tandem: Tandem, request_for: Requests) -> None:
    known = await tandem.runs.decide(request_for("Where do fish live?\nA. in trees\nB. in water", effort="high"))
    assert known.route.name == "direct(large)"
    assert [e.route.name for e in known.considered] == ["direct(large)", "program(large)", "cot(large)"]
    given = await tandem.runs.decide(request_for(f"{PROBLEM}\nA. 48\nB. 52", effort="high"))
    assert given.route.name == "program(large)"


async def test_a_solver_decides_plain_sentences_and_no_model_is_asked(
    tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer, redis_url: str, tmp_path: Path
) -> None:
    before = scripted.stats.requests
    question = "Every cat is an animal. Tom is a cat. Is the following statement true or false? Tom is an animal."
    with sandbox_worker(redis_url, tmp_path / "sandbox"):
        events = await events_of(tandem, await tandem.runs.start(request_for(question)), owner)
    last = last_of(events)
    assert (last.value, last.status, last.ledger.calls) == ("yes", "answered", 0)
    assert scripted.stats.requests == before
    [routed] = [event for event in events if isinstance(event, Routed)]
    assert routed.route == "logic(small)"


async def test_a_risk_withholds_what_is_not_sure_enough_and_says_why(
    tandem: Tandem, request_for: Requests, owner: str
) -> None:
    run = await tandem.runs.start(request_for(PROBLEM, max_risk=0.1))
    last = last_of(await events_of(tandem, run, owner))
    assert (last.status, last.value) == ("abstained", None)
    assert "that a risk of 0.1 takes" in last.text
    assert "it said 48" in last.text


async def test_a_risk_that_nothing_vouches_for_is_refused(
    settings: Settings, tandem: Tandem, request_for: Requests
) -> None:
    with pytest.raises(RunRefused, match=r"vouch for a risk of 0\.\d+ at the least") as refused:
        await tandem.runs.start(request_for(PROBLEM, max_risk=0.001))
    assert refused.value.parameter == "tandem.max_risk"
    with pytest.raises(RunRefused, match="goes to the model as it is"):
        await tandem.runs.start(request_for(PROBLEM, max_risk=0.3, model="large"))
    models = {
        name: model.model_copy(update={"sha256": "0" * 64 if name == "small" else model.sha256})
        for name, model in settings.models.items()
    }
    other = Offers(settings.model_copy(update={"models": models}), tuple(build_strategies(settings)))
    with pytest.raises(RunRefused, match="tandem train acceptance"):
        other.policy(request_for(PROBLEM, max_risk=0.3))


async def test_a_card_of_another_pair_does_not_start(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> None:
    card = tmp_path / "card.json"
    card.write_text("{}")
    settings = settings_for(tmp_path, redis_url, scripted.url, TANDEM__ACCEPTANCE__CARD=str(card))
    with pytest.raises(CardUnreadable, match=r"card\.json"):
        Offers(settings, tuple(build_strategies(settings)))


def test_a_thread_that_needed_the_large_model_for_a_function_goes_on_there(
    settings: Settings, request_for: Requests
) -> None:
    offers = Offers(settings, tuple(build_strategies(settings)))
    code = Assessment(form="code", difficulty=None, reason="")
    request = request_for("write it")
    assert offers.policy(request).first(code, "medium").route.name == "code(small)"
    climbed = Turn.of("code", "code(large)")
    assert offers.policy(request, turn=climbed).first(code, "medium").route.name == "code(large)"
    stayed = Turn.of("code", "code(small)")
    assert offers.policy(request, turn=stayed).first(code, "medium").route.name == "code(small)"
    hidden = Assessment(form="text", difficulty=0.0, reason="", interface_task=True)
    assert offers.policy(request, turn=climbed).first(hidden, "medium").route.models == ("small",)


async def test_a_follow_up_shows_the_difficulty_and_route_of_its_thread(
    tandem: Tandem, request_for: Requests, owner: str
) -> None:
    first = request_for(PROBLEM, thread="t")
    await events_of(tandem, await tandem.runs.start(first), owner)
    again = first.model_copy(update={"messages": (Message(role="user", content="yes, go on"),)})
    events = await events_of(tandem, await tandem.runs.start(again), owner)
    [assessed] = [event for event in events if event.type == "assessed"]
    assert assessed.difficulty is not None
    assert "inherits" in assessed.reason
    # No signal of its own is not "easy": the capable model talks.
    assert (await tandem.runs.decide(again)).route.name == "direct(large)"
