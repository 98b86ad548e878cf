"""The engines a benchmark needs: those that run are used, the others are started and stopped again."""

import asyncio
import http.client
import tempfile
import urllib.parse
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from orchestrator.addresses import engine_url
from orchestrator.model_files import locate, served_here
from orchestrator.settings import Settings
from orchestrator.stack.part import StackError
from orchestrator.stack.parts import engine_parts
from orchestrator.stack.probes import answers_ok
from orchestrator.stack.supervisor import Supervisor
from workers.engines.protocol import Engine

_SECONDS = 5.0


@contextmanager
def engines_running(settings: Settings, console: Console, threads: int = 0) -> Iterator[None]:
    """Every model's engine answers while the block runs. ``threads`` is what the command line put in place of the
    settings' (0: nothing). Raises ``StackError``, also where an engine that runs is not the one that the settings
    describe, since its answers would be kept under that one's name, and ``ModelUnavailable``."""
    if threads:
        _refuse_urls(settings, threads)
    running = [name for name in served_here(settings) if _answers(engine_url(settings, name))]
    for name in running:
        _refuse_another(settings, name, threads)
    answering = {engine_url(settings, name) for name in running}
    parts = [part for part in engine_parts(settings) if part.address not in answering]
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


def _refuse_urls(settings: Settings, threads: int) -> None:
    """An engine that is not started here has the threads that it has."""
    for name, model in settings.models.items():
        if model.engine.kind == "llamacpp" and model.engine.url:
            raise StackError(
                f"--threads {threads} is for engines that are started here, and engine {name} at {model.engine.url} is "
                f"not; leave it out and set `threads` under [models.{name}.engine] to what that engine has"
            )


def _refuse_another(settings: Settings, name: str, threads: int) -> None:
    """Raise ``StackError`` for a running engine whose answers are not those of the settings' engine."""
    address, slots = engine_url(settings, name), settings.models[name].engine.slots
    way_out = "stop it (Ctrl-C where `make run` or `tandem serve` runs), so that one is started for this benchmark"
    if threads:
        raise StackError(
            f"engine {name} runs at {address} already, and how many threads it has cannot be asked; {way_out}, or "
            f"leave out --threads {threads}"
        )
    properties = _properties(address)
    served, wanted = str(properties.get("model_path") or "no model file"), locate(settings, name)
    if Path(served).resolve() != wanted.resolve():
        raise StackError(f"what runs at {address} serves {served}, and model {name!r} is {wanted}; {way_out}")
    if properties.get("total_slots") != slots:
        raise StackError(
            f"engine {name} at {address} has {properties.get('total_slots')} slots, and the settings say {slots}; "
            f"{way_out}, or correct `slots` under [models.{name}.engine]"
        )
    drafts, draft = _drafts(address), settings.models[name].engine.draft
    if drafts != bool(draft):
        raise StackError(
            f"engine {name} at {address} {'has a' if drafts else 'has no'} draft model, and the settings say "
            f"draft = {draft!r}; {way_out}"
        )


def _properties(address: str) -> Mapping[str, Any]:
    """What llama.cpp's server says of itself; nothing where it is another kind of server."""
    said = _said(address, "/props")
    return said if isinstance(said, dict) else {}


def _drafts(address: str) -> bool:
    """Whether a llama.cpp server drafts with a smaller model."""
    slots = _said(address, "/slots")
    return isinstance(slots, list) and any(isinstance(slot, dict) and slot.get("speculative") for slot in slots)


def _said(address: str, path: str) -> Any:
    """The JSON that a server answers with, or None."""
    url = urllib.parse.urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 0, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        return orjson.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, orjson.JSONDecodeError):
        return None
    finally:
        connection.close()


def _answers(address: str) -> bool:
    url = urllib.parse.urlsplit(address)
    return answers_ok(url.hostname or "", url.port or 0, "/health")
