"""Which running engine a benchmark takes for its own: the one that the settings describe, and no other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from bench.engines import engines_running
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings
from orchestrator.stack.part import StackError
from tests.tiny_model import write_tiny_model


@contextmanager
def _serving(properties: dict[str, Any] | None, drafts: bool = False) -> Iterator[tuple[int, int]]:
    """The ports of two servers with the three paths of llama.cpp's that are asked; without ``properties`` they are of
    another kind."""
    slots = [{"id": 0, "speculative": drafts}]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/health": {"status": "ok"}} | (
                {} if properties is None else {"/props": properties, "/slots": slots}
            )
            body = orjson.dumps(known.get(self.path, {"detail": "Not Found"}))
            self.send_response(200 if self.path in known else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing is logged."""

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as small,
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as large,
    ):
        for server in (small, large):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield small.server_address[1], large.server_address[1]
        small.shutdown()
        large.shutdown()


def _settings(folder: Path, ports: tuple[int, int], url: bool = False) -> Settings:
    """Both models are the file ``tiny.gguf``, with four slots, where something listens already."""
    environment = {"TANDEM__STORAGE__DIRECTORY": str(folder), "TANDEM__STORAGE__MODELS": str(folder / "models")}
    write_tiny_model(folder / "tiny.gguf")
    for name, port in zip(("SMALL", "LARGE"), ports, strict=True):
        engine = f"TANDEM__MODELS__{name}__ENGINE__"
        own = {f"{engine}URL": f"http://127.0.0.1:{port}"} if url else {f"{engine}PORT": str(port)}
        environment |= {f"TANDEM__MODELS__{name}__SHA256": "", f"{engine}FILE": str(folder / "tiny.gguf"), **own}
    return load_settings(environment=environment)


def _use(settings: Settings, threads: int = 0) -> None:
    with engines_running(settings.with_threads(threads), Console(quiet=True), threads):
        pass


def test_the_engine_that_the_settings_describe_is_used(tmp_path: Path) -> None:
    with _serving({"model_path": str(tmp_path / "tiny.gguf"), "total_slots": 4}) as ports:
        _use(_settings(tmp_path, ports))


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        (
            {"model_path": "/models/another.gguf", "total_slots": 4},
            r"serves /models/another\.gguf.*tiny\.gguf.*stop it",
        ),
        ({"model_path": "{folder}/tiny.gguf", "total_slots": 2}, "has 2 slots, and the settings say 4"),
        (None, "serves no model file"),
    ],
)
def test_an_engine_with_another_model_or_other_slots_is_refused(
    tmp_path: Path, properties: dict[str, Any] | None, said: str
) -> None:
    known = properties and {**properties, "model_path": properties["model_path"].replace("{folder}", str(tmp_path))}
    with _serving(known) as ports, pytest.raises(StackError, match=said):
        _use(_settings(tmp_path, ports))


@pytest.mark.parametrize(("runs", "said"), [(True, "has a draft model"), (False, "has no draft model.*'small'")])
def test_an_engine_that_drafts_otherwise_than_the_settings_say_is_refused(
    tmp_path: Path, runs: bool, said: str
) -> None:
    with _serving({"model_path": str(tmp_path / "tiny.gguf"), "total_slots": 4}, drafts=runs) as ports:
        settings = _settings(tmp_path, ports)
        draft = "" if runs else "small"
        engines = {name: model.engine.model_copy(update={"draft": draft}) for name, model in settings.models.items()}
        models = {name: settings.models[name].model_copy(update={"engine": engines[name]}) for name in engines}
        with pytest.raises(StackError, match=said):
            _use(settings.model_copy(update={"models": models}))


@pytest.mark.parametrize("url", [False, True])
def test_threads_are_not_believed_of_an_engine_that_was_started_elsewhere(tmp_path: Path, url: bool) -> None:
    with _serving({"model_path": str(tmp_path / "tiny.gguf"), "total_slots": 4}) as ports:
        with pytest.raises(StackError, match=r"--threads 1") as refused:
            _use(_settings(tmp_path, ports, url), threads=1)
        assert ("`threads` under [models.small.engine]" if url else "`make run`") in str(refused.value)
