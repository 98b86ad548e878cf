"""The strategies as virtual models: named like any model, configured in the settings, counted to the last token."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.events import Charged, StepFinished, Verdict
from orchestrator.compose import Tandem, open_tandem
from orchestrator.runs import RunRequest
from orchestrator.settings_file import SettingsInvalid, load_settings
from tests.orchestrator.conftest import events_of, last_of, settings_for
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget
from workers.usage import Usage

Requests = Callable[..., RunRequest]

PROBLEM = "Ann has 5 boxes of 10 apples and gives 2 apples away. How many apples does she have left?"
_SHORT = "So \\boxed{48}."
_LONG = "Let me think about that. " * 40 + "So \\boxed{47}."


@pytest.mark.parametrize(
    "model",
    [
        "self-consistency",
        "confidence(small)",
        "short-m(large)",
        "parallel",
        "refine",
        "plan(small)",
        "critique",
        "plan-tools",
    ],
)
async def test_every_strategy_answers_under_its_name_and_its_usage_adds_up(
    model: str, tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=Reply(texts=(_SHORT,)))
    events = await events_of(tandem, await tandem.runs.start(request_for(PROBLEM, model=model)), owner)
    last = last_of(events)
    assert (last.status, last.value, last.finish_reason) == ("answered", "48", "stop")
    assert last.route is not None
    assert last.route.startswith(model.split("(")[0])
    charged = [event.charge for event in events if isinstance(event, Charged)]
    total = sum((charge.usage for charge in charged), Usage())
    assert total == sum(last.ledger.tokens.values(), Usage())
    # What a loser had written but nobody had read when it was aborted, only the engine knows.
    unread = 2 * (len(_SHORT) + 1) if model.startswith("short-m") else 0
    assert scripted.stats.tokens - unread <= total.completion <= scripted.stats.tokens


async def test_options_come_from_the_settings_and_losers_show_in_the_trace(
    tmp_path: Path, redis_url: str, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=Reply(texts=(_LONG, _SHORT, _SHORT, _LONG), delay=0.005))
    settings = settings_for(
        tmp_path, redis_url, scripted.url, TANDEM__STRATEGIES__SHORT_M__K="4", TANDEM__STRATEGIES__SHORT_M__M="2"
    )
    async with open_tandem(settings) as tandem:
        events = await events_of(tandem, await tandem.runs.start(request_for(PROBLEM, model="short-m")), owner)
    assert last_of(events).value == "48"
    steps = [event for event in events if isinstance(event, StepFinished)]
    assert [step.cancelled for step in steps].count(True) == 2
    votes = next(event for event in events if isinstance(event, Verdict) and event.verifier == "agreement")
    assert votes.reason == "votes of 2 samples: 48: 2"


async def test_a_budget_bounds_a_fan_out(
    tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=Reply(texts=(_SHORT,)))
    request = request_for(PROBLEM, model="parallel", budget=Budget(calls=2))
    last = last_of(await events_of(tandem, await tandem.runs.start(request), owner))
    assert (last.status, last.value, last.ledger.calls) == ("budget", "48", 2)
    assert scripted.stats.requests == 2


def test_an_option_that_makes_no_sense_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "tandem.toml"
    profile = (Path(__file__).parents[2] / "orchestrator/profiles/cpu.toml").read_text()
    path.write_text(f"{profile}\n[strategies.short_m]\nk = 3\nm = 4\n")
    with pytest.raises(SettingsInvalid, match="m = 4 samples cannot vote when only k = 3 are started"):
        load_settings(path, {})
    path.write_text(f"{profile}\n[strategies.short-m]\nk = 3\n")
    with pytest.raises(SettingsInvalid, match="did you mean 'short_m'"):
        load_settings(path, {})
