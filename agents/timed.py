"""Programs and tools that end with a request's seconds, as what its models write does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from agents.strategy import GetToolbox
from tools.protocol import Tool, ToolResult
from tools.sandbox.protocol import Execution, Limits, Sandbox
from tools.toolbox import Toolbox
from workers.ledger import Ledger

T = TypeVar("T")

_OVER = "the request's time was over"


class TimedSandbox:
    """Wraps a sandbox for one request. A program that the request's seconds end has outcome "timeout"."""

    def __init__(self, inner: Sandbox, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    async def run(self, program: str, limits: Limits = Limits()) -> Execution:
        execution = await _within_seconds(self._ledger, lambda: self._inner.run(program, limits))
        return Execution(outcome="timeout", stderr=_OVER) if execution is None else execution


class TimedTool:
    """Wraps a tool for one request. A call that the request's seconds end is a result that says so."""

    def __init__(self, inner: Tool, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def description(self) -> str:
        return self._inner.description

    @property
    def schema(self) -> Mapping[str, Any]:
        return self._inner.schema

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        result = await _within_seconds(self._ledger, lambda: self._inner.call(arguments))
        return ToolResult(f"{self.name} did not answer: {_OVER}", ok=False) if result is None else result


def timed(get: GetToolbox, ledger: Ledger) -> GetToolbox:
    """``get`` with the request's seconds around every tool."""

    async def get_timed() -> Toolbox:
        return (await get()).each(lambda tool: TimedTool(tool, ledger))

    return get_timed


async def _within_seconds(ledger: Ledger, work: Callable[[], Awaitable[T]]) -> T | None:
    """What ``work`` gives; None where the ledger's seconds are over before it does, which the ledger then says."""
    left = ledger.seconds_left()
    if left is None or left > 0:
        try:
            async with asyncio.timeout(left) as bound:
                return await work()
        except TimeoutError:
            if not bound.expired():
                raise
    ledger.mark_spent("seconds")
    return None
