"""The seam between runs and what works on them: the controller, or something wrapped around it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from orchestrator.runs import RunRequest
from orchestrator.state import RunContext, RunState
from routers.route import Decision

Node = Callable[..., Awaitable[RunState]]
"""A node of the controller's graph: from the state, and perhaps the runtime, to what changes of it."""

Around = Callable[[str, Node], Node]
"""Wraps the node of a name."""


def as_it_is(_name: str, node: Node) -> Node:
    return node


class Conductor(Protocol):
    """Takes one request to its verdict. It holds no state of any run."""

    async def run(self, request: RunRequest, context: RunContext) -> RunState:
        """Run a new request. Faults of engines are raised; a spent budget is part of the state."""
        ...

    async def resume(self, context: RunContext) -> RunState:
        """Go on from the run's last checkpoint."""
        ...

    async def checkpointed(self, run: str) -> bool:
        """Whether a checkpoint of this run exists to resume from."""
        ...

    async def decide(self, request: RunRequest) -> Decision:
        """The first route of a request, without running it."""
        ...
