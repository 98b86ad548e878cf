"""Behaviours in front of the question, over a scripted engine."""

from collections.abc import Mapping
from dataclasses import replace

from agents.briefing import briefed, shown_how
from agents.program import Program
from agents.strategy import SolveContext
from tests.agents.conftest import ContextFor, asked
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.models.protocol import ChatModel

_QUESTION = "How many legs have 3 cats?"
_BEHAVIOURS = [("count_groups", "Count each group once.")]
_ADVISED = r"(?s)- count_groups: Count each group once\.\n\nWrite one Python program.*3 cats"


async def test_a_writer_gets_the_behaviours_before_the_question_and_keeps_them_in_a_repair(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    again = say("```python\nprint(12)\n```", match=_ADVISED + r".*assistant.*user")
    scripted.script = Script(replies=(again, say("no program", match=_ADVISED)), default=say("print(0)"))
    context = context_for()
    models = briefed(context.models, _QUESTION, {"only": _BEHAVIOURS})
    answer = await Program().solve(asked(_QUESTION), _with(context, models))
    assert answer.value == "12"


async def test_examples_stand_before_the_behaviours_and_change_nothing_where_there_are_none(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    solved = r"(?s)Problem: How many legs have 2 ants\?\nSolution:\n2 \* 6 = 12.*" + _ADVISED.removeprefix("(?s)")
    scripted.script = Script(replies=(say("```python\nprint(12)\n```", match=solved),), default=say("no program"))
    context = context_for()
    for examples, expected in (([("How many legs have 2 ants?", "2 * 6 = 12")], "12"), ([], None)):
        models = shown_how(context.models, _QUESTION, {"only": examples})
        models = briefed(models, _QUESTION, {"only": _BEHAVIOURS})
        assert (await Program().solve(asked(_QUESTION), _with(context, models))).value == expected
    assert shown_how(context.models, _QUESTION, {"only": []}) is context.models


async def test_other_models_and_other_questions_get_none(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(replies=(say("told", match="count_groups"),), default=say("```python\nprint(1)\n```"))
    context = context_for()
    assert briefed(context.models, _QUESTION, {"only": []}) is context.models
    for models in (
        briefed(context.models, _QUESTION, {"another": _BEHAVIOURS}),
        briefed(context.models, "How many legs have 4 dogs?", {"only": _BEHAVIOURS}),
    ):
        assert (await Program().solve(asked(_QUESTION), _with(context, models))).value == "1"


def _with(context: SolveContext, models: Mapping[str, ChatModel]) -> SolveContext:
    return replace(context, models=models)
