"""Programs and tools under a request's seconds."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agents.timed import TimedSandbox, TimedTool, timed
from tests.tools.sandbox.conftest import limited, nothing_left
from tools.protocol import ToolResult
from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.toolbox import Toolbox
from workers.ledger import Budget, Ledger


class Slow:
    """A tool that takes ``seconds``."""

    name = "slow"
    description = "takes its time"
    schema: Mapping[str, Any] = {"type": "object"}

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.calls = 0

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        self.calls += 1
        await asyncio.sleep(self.seconds)
        return ToolResult("done")


async def test_a_program_is_killed_when_the_requests_seconds_are_over() -> None:
    ledger, limits = Ledger(Budget(seconds=2)), limited(wall_seconds=60.0)
    execution = await TimedSandbox(BubblewrapSandbox(), ledger).run("import time; time.sleep(60)", limits)
    assert (execution.outcome, execution.stderr) == ("timeout", "the request's time was over")
    assert ledger.summary().spent == "seconds"
    await nothing_left(limits)


@pytest.mark.parametrize("seconds", [None, 60.0])
async def test_a_program_that_ends_in_time_is_left_alone(seconds: float | None) -> None:
    ledger = Ledger(Budget(seconds=seconds))
    sandbox = TimedSandbox(BubblewrapSandbox(), ledger)
    assert (await sandbox.run("print(6 * 7)")).stdout == "42\n"
    own = await sandbox.run("import time; time.sleep(30)", limited(wall_seconds=0.5))
    assert own.outcome == "timeout"
    assert ledger.summary().spent is None, "its own limit is not the request's"


async def test_a_tool_ends_with_the_requests_seconds_and_is_not_called_after_them() -> None:
    ledger, slow = Ledger(Budget(seconds=0.2)), Slow(60)
    tool = TimedTool(slow, ledger)
    for _ in range(2):
        result = await tool.call({})
        assert (result.ok, result.text) == (False, "slow did not answer: the request's time was over")
    assert slow.calls == 1
    assert ledger.summary().spent == "seconds"


async def test_every_tool_of_a_box_is_bound_and_the_allow_list_still_holds() -> None:
    async def get() -> Toolbox:
        return Toolbox([Slow(60)], ["slow"])

    toolbox = await timed(get, Ledger(Budget(seconds=0.2)))()
    assert (await toolbox.call("slow", "{}")).text == "slow did not answer: the request's time was over"
    other = Slow(0)
    other.name = "other"
    assert toolbox.with_tools([other]).names == ("slow",)


async def test_a_fault_of_the_tool_that_reads_like_one_of_time_is_passed_on() -> None:
    class Faulty(Slow):
        async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
            raise TimeoutError("its own server")

    ledger = Ledger(Budget(seconds=60))
    with pytest.raises(TimeoutError, match="its own server"):
        await TimedTool(Faulty(0), ledger).call({})
    assert ledger.summary().spent is None
