"""One question at a time: how long its generations took, and which budget bounds it."""

from pathlib import Path

import pytest

from bench.questions import Question
from bench.run import open_solver
from bench.solving import Solved
from orchestrator.compose import open_tandem
from orchestrator.runs import RunRequest
from orchestrator.settings import EffortSettings, Settings
from tests.orchestrator.conftest import events_of, last_of, settings_for
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget
from workers.messages import Message

_QUESTION = Question(id="x/1", question="What is 2 + 2?", answer="4", kind="math", answer_type="number")
_PAUSE = 0.02


async def _solved(settings: Settings, cache: Path, model: str) -> Solved:
    async with open_solver(settings, cache) as solver:
        return await solver.solve(_QUESTION, model, "medium")


async def test_a_second_run_takes_as_long_as_the_generations_took_when_they_were_made(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=say("It is \\boxed{4}.", prompt_delay=_PAUSE))
    settings = settings_for(tmp_path, "", scripted.url)
    first = await _solved(settings, tmp_path / "cache.sqlite", "consensus")
    made = scripted.stats.requests
    again = await _solved(settings, tmp_path / "cache.sqlite", "consensus")
    assert scripted.stats.requests == made > 1
    assert first.seconds >= made * _PAUSE, "of each of its generations"
    assert again.seconds == pytest.approx(first.seconds, rel=1e-9)


async def test_an_answer_of_two_models_takes_as_long_as_it_was_written(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=say("It is \\boxed{4}.", prompt_delay=_PAUSE, continues=True))
    solved = await _solved(settings_for(tmp_path, "", scripted.url), tmp_path / "cache.sqlite", "entropy")
    assert solved.correct and solved.seconds >= _PAUSE


async def test_the_budget_of_an_effort_ends_a_run_of_auto_as_in_the_service_and_no_constant(
    tmp_path: Path, redis_url: str, scripted: ScriptedServer
) -> None:
    # Two direct answers that differ: a third one would have to decide, and the effort pays for two calls.
    scripted.script = Script(default=Reply(texts=("4", "5")))
    ladder = ("direct(large)", "direct(small)", "direct(large)")
    settings = settings_for(tmp_path, redis_url, scripted.url)
    settings = settings.model_copy(
        update={
            "auto": settings.auto.model_copy(update={"ladders": {**settings.auto.ladders, "medium": ladder}}),
            "efforts": {**settings.efforts, "medium": EffortSettings(budget=Budget(calls=2))},
        }
    )
    async with open_tandem(settings) as tandem:
        request = RunRequest(messages=(Message(role="user", content=_QUESTION.question),), effort="medium", seed=0)
        served = last_of(await events_of(tandem, await tandem.runs.start(request), request.owner))
    solved = await _solved(settings, tmp_path / "cache.sqlite", "auto")
    assert (solved.status, solved.value) == (served.status, served.value) == ("budget", "4")
    assert {name: usage.completion for name, usage in solved.tokens.items()} == {"large": 2, "small": 2}
    assert {name: usage.completion for name, usage in served.ledger.tokens.items()} == {"large": 2, "small": 2}
    constant = await _solved(settings, tmp_path / "cache.sqlite", "self-consistency(large)")
    assert constant.status == "answered"
    assert constant.tokens["large"].completion > solved.tokens["large"].completion * 2, "of more than two calls"
