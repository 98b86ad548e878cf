"""The whole local stack in one foreground call."""

import asyncio
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.addresses import gateway_url
from orchestrator.mcp_readiness import mcp_problems
from orchestrator.settings import Settings
from orchestrator.stack.part import StackError
from orchestrator.stack.parts import stages
from orchestrator.stack.probes import redis_problem
from orchestrator.stack.supervisor import Supervisor, signals_interrupt
from tools.sandbox.bubblewrap import BubblewrapSandbox


def serve(settings: Settings, config: Path | None, console: Console) -> None:
    """Start everything, say where it is, and stay until Ctrl-C, SIGTERM, or the end of a part.

    Returns after an orderly stop. Raises ``StackError`` (a part ended, a port is taken) and ``ModelUnavailable``; every
    part is stopped before. ``console`` reads no markup: what is printed there has paths and names in it.
    """
    begin = time.monotonic()
    if settings.redis.url and (problem := redis_problem(settings.redis.url)):
        raise StackError(problem)
    with Supervisor(settings.storage.directory / "logs", console.print) as supervisor, signals_interrupt(supervisor):
        if supervisor.start(stages(settings, config)):
            console.print(_table(supervisor))
            console.print(
                "Tandem is ready at",
                Text(gateway_url(settings), "bold"),
                f"after {time.monotonic() - begin:.1f} s. Ctrl-C stops everything.",
            )
            _say_if_programs_are_refused(console)
            _say_which_mcp_servers_are_left_out(settings, console)
            supervisor.watch()
        console.print("stopping")


def _say_if_programs_are_refused(console: Console) -> None:
    problem = asyncio.run(BubblewrapSandbox().check())
    if problem is not None:
        console.print(f"programs will not run: {problem}", style="yellow", soft_wrap=True)


def _say_which_mcp_servers_are_left_out(settings: Settings, console: Console) -> None:
    for name, problem in mcp_problems(settings.mcp).items():
        console.print(f"the MCP server {name!r} is left out: {problem}", style="yellow", soft_wrap=True)


def _table(supervisor: Supervisor) -> Table:
    table = Table("part", "address", "process", "what", "log")
    for child in supervisor.children:
        table.add_row(child.part.name, child.part.address, str(child.pid), child.part.detail, str(child.log))
    return table
