"""The engines a benchmark needs: those that run are used, the others are started and stopped again."""

import asyncio
import tempfile
import urllib.parse
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from rich.console import Console

from orchestrator.addresses import engine_url
from orchestrator.settings import Settings
from orchestrator.stack.parts import engine_parts
from orchestrator.stack.probes import answers_ok
from orchestrator.stack.supervisor import Supervisor
from workers.engines.protocol import Engine


@contextmanager
def engines_running(settings: Settings, console: Console) -> Iterator[None]:
    """Every model's engine answers while the block runs. Raises ``StackError`` or ``ModelUnavailable``."""
    parts = [part for part in engine_parts(settings) if not _answers(part.address)]
    with tempfile.TemporaryDirectory() as logs, Supervisor(Path(logs), console.print) as supervisor:
        if parts:
            supervisor.start([parts])
        for name, model in settings.models.items():
            if model.engine.kind not in ("litellm", "torch"):
                console.print(f"  engine {name} at {engine_url(settings, name)}")
        yield


@asynccontextmanager
async def closed_after(engines: Iterable[Engine]) -> AsyncIterator[None]:
    """The clients are closed when the block ends, however it ends."""
    try:
        yield
    finally:
        await asyncio.gather(*(engine.aclose() for engine in engines))


def _answers(address: str) -> bool:
    url = urllib.parse.urlsplit(address)
    return answers_ok(url.hostname or "", url.port or 0, "/health")
