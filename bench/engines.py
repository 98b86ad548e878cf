"""The engines a benchmark needs: those that run are used, the others are started and stopped again."""

import tempfile
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from orchestrator.addresses import engine_url
from orchestrator.settings import Settings
from orchestrator.stack.parts import engine_parts
from orchestrator.stack.probes import answers_ok
from orchestrator.stack.supervisor import Supervisor


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


def _answers(address: str) -> bool:
    url = urllib.parse.urlsplit(address)
    return answers_ok(url.hostname or "", url.port or 0, "/health")
