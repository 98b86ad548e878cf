"""Branches: what is cut short ends in the trace, tools as well as steps."""

import asyncio
from contextlib import aclosing

from agents.branches import branches
from agents.events import EVENT, Event, ToolFinished, ToolStarted
from agents.execution import run_program
from agents.strategy import SolveContext
from tests.agents.conftest import ContextFor
from tests.waiting import eventually


async def test_a_program_in_a_branch_that_loses_ends_as_cancelled(context_for: ContextFor, seen: list[Event]) -> None:
    async def endless(context: SolveContext) -> str:
        return (await run_program(context, "while True: pass")).outcome

    async def quick(context: SolveContext) -> str:
        ran = (await run_program(context, "print(42)")).stdout.strip()
        await eventually(lambda: sum(isinstance(event, ToolStarted) for event in seen) == 2)
        return ran

    async with asyncio.timeout(60), aclosing(branches(context_for(), [endless, quick])) as stream:
        first = await anext(stream)
    assert (first.index, first.result) == (1, "42")
    inputs = {event.call: event.input for event in seen if isinstance(event, ToolStarted)}
    ended = {inputs[event.call]: event for event in seen if isinstance(event, ToolFinished)}
    assert (ended["print(42)"].output, ended["print(42)"].cancelled) == ("42", False)
    assert (ended["while True: pass"].ok, ended["while True: pass"].cancelled) == (False, True)


def test_tool_events_of_older_traces_can_still_be_read() -> None:
    started = EVENT.validate_python({"type": "tool.started", "tool": "python", "input": "1"})
    finished = EVENT.validate_python(
        {"type": "tool.finished", "tool": "python", "output": "1", "ok": True, "seconds": 0.1}
    )
    assert isinstance(started, ToolStarted)
    assert isinstance(finished, ToolFinished)
    assert (started.call, finished.call, finished.cancelled) == ("", "", False)
