"""One question at a time: how long its generations took, and which budget bounds it."""

from pathlib import Path

import pytest

from bench.questions import Question
from bench.run import open_solver
from bench.solving import Solved
from orchestrator.settings import Settings
from tests.orchestrator.conftest import settings_for
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer

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
