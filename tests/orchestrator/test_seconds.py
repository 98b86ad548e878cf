"""A run's seconds bound its programs and tools, not only what its models write."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from agents.events import Event, RunFinished
from orchestrator.compose import build_controller
from orchestrator.finish import finished
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.state import RunContext
from orchestrator.strategies import build_strategies
from tests.tools.test_toolbox import Echo
from tools.protocol import ToolResult
from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.toolbox import Toolbox
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget, Ledger
from workers.models.litellm_chat import load_litellm

Requests = Callable[..., RunRequest]


async def ended(settings: Settings, request: RunRequest, budget: Budget, toolbox: Toolbox = Toolbox()) -> RunFinished:
    """The last event of a run under ``budget``, programs in the real sandbox of this machine."""
    park = ModelPark(settings, None)
    controller = build_controller(settings, Offers(settings, tuple(build_strategies(settings))), BubblewrapSandbox())
    ledger = Ledger(budget)

    async def emit(event: Event) -> None:
        return None

    async def equipment() -> Toolbox:
        return toolbox

    context = RunContext(
        run="d" * 32,
        emit=emit,
        ledger=ledger,
        models=park.for_run(ledger, emit),
        problem=park.problem,
        toolbox=equipment,
    )
    try:
        return finished(await controller.run(request, context), ledger.summary())
    finally:
        await park.aclose()


async def test_a_program_does_not_outlast_the_runs_seconds(
    settings: Settings, scripted: ScriptedServer, request_for: Requests
) -> None:
    scripted.script = Script(default=say("```python\nimport time\ntime.sleep(9)\nprint(12)\n```"))
    last = await ended(settings, request_for("What is 3 * 4?", model="program"), Budget(seconds=3))
    assert (last.status, last.ledger.spent) == ("budget", "seconds")
    assert last.value is None
    assert last.ledger.seconds < 9


async def test_a_tool_does_not_outlast_the_runs_seconds(
    settings: Settings, scripted: ScriptedServer, request_for: Requests
) -> None:
    class Slow(Echo):
        async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
            said = await super().call(arguments)
            await asyncio.sleep(60)
            return said

    function = {"name": "echo", "arguments": json.dumps({"text": "hi"})}
    called = Reply(texts=("",), tool_calls=({"id": "call_1", "type": "function", "function": function},))
    scripted.script = Script(default=called)
    request = request_for("What is 3 * 4?", model="tools")
    slow = Slow()
    await load_litellm()  # it takes seconds, which are not this run's
    last = await ended(settings, request, Budget(seconds=5), Toolbox([slow]))
    assert slow.calls == 1
    assert (last.status, last.ledger.spent) == ("budget", "seconds")
    assert last.ledger.seconds < 30
