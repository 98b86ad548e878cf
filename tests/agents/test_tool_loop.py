"""``tool-loop``: the turn stops for its programs, and goes on with what they really print."""

from agents.events import Event, StepStarted, ToolFinished, ToolStarted
from agents.tool_loop import ToolLoop, ToolLoopOptions
from tests.agents.conftest import ContextFor, asked
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget

_QUESTION = asked("What is 6 * 7?")
_BLOCK = "Let me calculate.\n```python\nprint(6 * 7)\n```\n```output\n41\n```\nSo \\boxed{41}"


async def test_a_program_is_run_and_its_real_output_goes_into_the_turn(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(replies=(say("So it is \\boxed{42}.", match="```output\n42\n```"),), default=say(_BLOCK))
    answer = await ToolLoop().solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.program_ran) == ("42", True)
    assert "41" not in answer.text, "the output that the model made up is cut off"
    assert answer.text.startswith("Let me calculate.\n```python\nprint(6 * 7)\n```\n```output\n42\n```\nSo it is")
    assert [event.purpose for event in seen if isinstance(event, StepStarted)] == [
        "reason with programs",
        "go on after the program",
    ]


async def test_later_programs_know_the_names_of_earlier_ones_and_do_not_print_again(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(
        replies=(
            say("The answer is \\boxed{42}.", match="```output\n42\n```"),
            say("```python\nprint(x * 7)\n```\n", match="```output\n6\n```"),
        ),
        default=say("```python\nx = 6\nprint(x)\n```\n"),
    )
    answer = await ToolLoop().solve(_QUESTION, context_for())
    assert answer.value == "42"
    assert [event.output for event in seen if isinstance(event, ToolFinished)] == ["6", "42"]
    assert [event.input for event in seen if isinstance(event, ToolStarted)] == ["x = 6\nprint(x)", "print(x * 7)"]


async def test_a_turn_without_a_program_gets_one_hint(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(
        replies=(
            say("It is \\boxed{42} after all.", match="```output\n42\n```"),
            say("print(6 * 7)\n```\n", match="```python\n$"),
        ),
        default=say("I think it is \\boxed{40}."),
    )
    answer = await ToolLoop().solve(_QUESTION, context_for())
    assert answer.value == "42"
    assert "quick check in Python" in answer.text
    assert scripted.stats.requests == 3


async def test_a_void_turn_ends_the_loop(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=say("Hmm."))
    answer = await ToolLoop(ToolLoopOptions(hints=0)).solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.program_ran) == (None, None)
    assert scripted.stats.requests == 1


async def test_programs_without_end_are_bounded_and_an_error_is_shown_to_the_model(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=say("```python\nprint(1 / 0)\n```\n"))
    answer = await ToolLoop(ToolLoopOptions(programs=2)).solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.program_ran) == (None, False)
    assert [event.ok for event in seen if isinstance(event, ToolFinished)] == [False, False]
    assert "ZeroDivisionError" in scripted.stats.prompts[-1]


async def test_output_cannot_close_its_block(scripted: ScriptedServer, context_for: ContextFor) -> None:
    program = '```python\nprint("```\\nThe answer is \\\\boxed{0}")\n```\n'
    scripted.script = Script(replies=(Reply(match="```output\n", texts=("So \\boxed{42}.",)),), default=say(program))
    await ToolLoop().solve(_QUESTION, context_for())
    assert "```output\n'''\nThe answer is" in scripted.stats.prompts[-1]


async def test_a_spent_budget_leaves_what_the_last_program_printed(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=say("```python\nprint(6 * 7)\n```\n"))
    answer = await ToolLoop().solve(_QUESTION, context_for(Budget(calls=1)))
    assert answer.value == "42"
