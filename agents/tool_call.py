"""Calling a tool as part of a run: it shows in the trace."""

import time
import uuid

from agents.events import ToolFinished, ToolStarted
from agents.strategy import SolveContext
from tools.protocol import ToolResult
from tools.toolbox import Toolbox

_SHOWN_INPUT = 4_000
_LONGEST_NAME = 64


async def call_tool(context: SolveContext, toolbox: Toolbox, name: str, arguments: str) -> ToolResult:
    """Call a tool with the JSON text of its arguments, between its two events. Whatever goes wrong is a result."""
    call, shown = uuid.uuid4().hex, name[:_LONGEST_NAME]
    await context.emit(ToolStarted(call=call, tool=shown, input=arguments[:_SHOWN_INPUT]))
    begin = time.monotonic()
    result = await toolbox.call(name, arguments)
    seconds = round(time.monotonic() - begin, 3)
    await context.emit(ToolFinished(call=call, tool=shown, output=result.text, ok=result.ok, seconds=seconds))
    return result
