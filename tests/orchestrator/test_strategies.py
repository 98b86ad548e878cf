"""The strategies as virtual models: named like any model, configured in the settings, counted to the last token."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.collaborative import collaborative_names
from agents.events import Charged, Event, StepFinished, ToolFinished, Verdict
from orchestrator.compose import Tandem, open_tandem
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings
from orchestrator.strategies import build_strategies
from tests.agents.test_calling_tools import call
from tests.orchestrator.conftest import events_of, last_of, settings_for
from tests.sandbox_worker import sandbox_worker
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget
from workers.usage import Usage

Requests = Callable[..., RunRequest]

PROBLEM = "Ann has 5 boxes of 10 apples and gives 2 apples away. How many apples does she have left?"
_SHORT = "So \\boxed{48}."
_LONG = "Let me think about that. " * 40 + "So \\boxed{47}."


_ALONE = (
    "direct",
    "cot(small)",
    "consensus",
    "self-consistency",
    "confidence(small)",
    "short-m(large)",
    "parallel",
    "refine",
    "plan(small)",
    "critique",
    "plan-tools",
)
_PREMISES = "Every cat is an animal. Tom is a cat."
_FORMULAS = "1. all x. (Cat(x) -> Animal(x))\n2. Cat(tom)\n3. Animal(tom)"
_STUB = 'def half(x: float) -> float:\n    """Half of it.\n\n    >>> half(4)\n    2.0\n    """\n'
_HALF = "def half(x):\n    return x / 2"


def _block(code: str) -> str:
    return f"```python\n{code}\n```\n"


_WITH_PROGRAMS = {
    "program": (PROBLEM, Script(default=say(_block("print(48)"))), "48"),
    "tool-loop": (
        PROBLEM,
        Script(replies=(say(_SHORT, match="```output\n48\n```"),), default=say(_block("print(50 - 2)"))),
        "48",
    ),
    "toolmaker(small)": (
        PROBLEM,
        Script(
            replies=(say(_block("print(left(5, 10, 2))"), match="Now use what you wrote"),),
            default=say(_block("def left(boxes, each, given):\n    return boxes * each - given")),
        ),
        "48",
    ),
    "tools": (
        PROBLEM,
        Script(replies=(say(_SHORT, match="Output of"),), default=call("python", code="print(5 * 10 - 2)")),
        "48",
    ),
    "code(small)": (f"Complete this Python function.\n\n{_STUB}", Script(default=say(_block(_HALF))), _HALF),
    "logic": (f"{_PREMISES}\nTrue or false: Tom is an animal.", Script(default=say(_FORMULAS)), "yes"),
}


@pytest.fixture(scope="module")
def programs(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The worker that runs programs."""
    with sandbox_worker(redis_url, tmp_path_factory.mktemp("sandbox") / "log"):
        yield


def test_no_strategy_of_one_model_is_left_out_here(settings: Settings) -> None:
    tried = {model.split("(")[0] for model in (*_ALONE, *_WITH_PROGRAMS)}
    assert tried == build_strategies(settings).keys() - set(collaborative_names())


@pytest.mark.parametrize("model", _ALONE)
async def test_every_strategy_answers_under_its_name_and_its_usage_adds_up(
    model: str, tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=Reply(texts=(_SHORT,)))
    events = await events_of(tandem, await tandem.runs.start(request_for(PROBLEM, model=model)), owner)
    written = _written(events, model, "48")
    # What a loser had written but nobody had read when it was aborted, only the engine knows.
    unread = 2 * (len(_SHORT) + 1) if model.startswith("short-m") else 0
    assert scripted.stats.tokens - unread <= written <= scripted.stats.tokens


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("model", _WITH_PROGRAMS)
async def test_every_strategy_that_runs_something_does_so_too(
    model: str, tandem: Tandem, request_for: Requests, owner: str, scripted: ScriptedServer
) -> None:
    question, scripted.script, value = _WITH_PROGRAMS[model]
    events = await events_of(tandem, await tandem.runs.start(request_for(question, model=model)), owner)
    ran = [event for event in events if isinstance(event, ToolFinished)]
    assert ran and all(event.ok for event in ran)
    # The scripted engine counts a tool call as a token, but writes none.
    assert _written(events, model, value) == scripted.stats.tokens + (model == "tools")


def _written(events: list[Event], model: str, value: str) -> int:
    """The tokens that were written for an answer, which has this value and the name of this model."""
    last = last_of(events)
    assert (last.status, (last.value or "").strip(), last.finish_reason) == ("answered", value, "stop")
    assert last.route is not None
    assert last.route.startswith(model.split("(")[0])
    charged = [event.charge for event in events if isinstance(event, Charged)]
    total = sum((charge.usage for charge in charged), Usage())
    assert total == sum(last.ledger.tokens.values(), Usage())
    return total.completion


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
