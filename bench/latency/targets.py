"""The three servers that are measured: the scripted engine, and before it Tandem's gateway and the LiteLLM proxy."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import orjson

from orchestrator.addresses import LOOPBACK, gateway_url
from orchestrator.settings_file import load_settings, profile_text
from orchestrator.stack.part import Part
from orchestrator.stack.parts import gateway_part, redis_part
from orchestrator.stack.probes import answers_ok
from orchestrator.stack.supervisor import Supervisor
from workers.engines.scripted.script import Reply, Script

LITELLM = "1.106.2"
MODEL = "large"
REPLY = "twenty-token answers"
"""One byte is one token of the scripted engine."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server with an OpenAI endpoint at ``url``."""

    name: str
    url: str


@contextmanager
def targets_running(folder: Path, litellm: Path, say: Callable[[str], None]) -> Iterator[tuple[Target, ...]]:
    """Engine, gateway and proxy, in this order, on free ports and with all state in ``folder``.

    Raises ``StackError`` when one does not start.
    """
    engine = _engine(folder, _free_port())
    redis, gateway = _gateway(folder, engine.address)
    proxy = _proxy(folder, engine.address, litellm, _free_port())
    with Supervisor(folder / "logs", say) as supervisor:
        supervisor.start([[engine, redis], [gateway, proxy]])
        yield (
            Target("direct", engine.address),
            Target("tandem", gateway.address),
            Target(f"litellm {LITELLM}", proxy.address),
        )


def litellm_python(cache: Path, say: Callable[[str], None]) -> Path:
    """The interpreter of a virtual environment with the LiteLLM proxy, made on first use.

    It has one of its own because its pins are not Tandem's. Raises ``subprocess.CalledProcessError``.
    """
    folder = cache / f"litellm-{LITELLM}"
    python, complete = folder / "bin" / "python", folder / ".installed"
    if not complete.exists():
        say(f"installing the LiteLLM proxy {LITELLM} in {folder}")
        subprocess.run((sys.executable, "-m", "venv", folder), check=True)
        subprocess.run((python, "-m", "pip", "install", "--quiet", f"litellm[proxy]=={LITELLM}"), check=True)
        complete.touch()
    return python


def _engine(folder: Path, port: int) -> Part:
    script = folder / "script.json"
    # As many slots as nobody can fill: waiting for the engine is not what is measured.
    script.write_text(Script(default=Reply(texts=(REPLY,)), name=MODEL, slots=1024).model_dump_json())
    command = ("-m", "workers.engines.scripted", "--port", str(port), "--script", str(script))
    return Part(
        name="scripted engine",
        command=(sys.executable, *command),
        ready=partial(answers_ok, LOOPBACK, port, "/health"),
        address=f"http://{LOOPBACK}:{port}",
        port=port,
    )


def _gateway(folder: Path, engine: str) -> tuple[Part, Part]:
    """A private Redis and the gateway, as ``tandem serve`` starts them; only limits and the engine's url differ."""
    config = folder / "tandem.toml"
    config.write_text(profile_text("cpu"))
    environment = {
        "TANDEM__STORAGE__DIRECTORY": str(folder / "data"),
        "TANDEM__REDIS__PORT": str(_free_port()),
        "TANDEM__GATEWAY__PORT": str(_free_port()),
        "TANDEM__GATEWAY__RUNS_PER_MINUTE": "1000000",
        "TANDEM__GATEWAY__CONCURRENT_RUNS": "256",
        "TANDEM__GATEWAY__CONCURRENT_RUNS_PER_KEY": "256",
    }
    for model in ("SMALL", "LARGE"):
        environment[f"TANDEM__MODELS__{model}__ENGINE__URL"] = engine
        environment[f"TANDEM__MODELS__{model}__ENGINE__SLOTS"] = "1024"
    settings = load_settings(config, environment)
    gateway = gateway_part(settings, config)
    return redis_part(settings), replace(
        gateway,
        environment={**gateway.environment, **environment},
        address=gateway_url(settings),
    )


def _proxy(folder: Path, engine: str, python: Path, port: int) -> Part:
    config = folder / "litellm.yaml"
    model = {"model": f"openai/{MODEL}", "api_base": f"{engine}/v1", "api_key": "none"}
    quiet = {"version": 1, "disable_existing_loggers": False, "loggers": {"uvicorn": {"level": "ERROR"}}}
    # JSON is YAML too.
    config.write_bytes(orjson.dumps({"model_list": [{"model_name": MODEL, "litellm_params": model}]}))
    (folder / "litellm-logs.json").write_bytes(orjson.dumps(quiet))
    log_config = ("--log_config", str(folder / "litellm-logs.json"))
    options = ("--host", LOOPBACK, "--port", str(port), "--config", str(config), "--num_workers", "1")
    return Part(
        name="litellm proxy",
        # Without a database of whoever runs this: the proxy would use one that it finds.
        command=("env", "-u", "DATABASE_URL", str(python), "-m", "litellm.proxy.proxy_cli", *options, *log_config),
        ready=partial(answers_ok, LOOPBACK, port, "/health/liveliness"),
        address=f"http://{LOOPBACK}:{port}",
        port=port,
        environment={
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOG": "ERROR",
            # Without keys, as the gateway is.
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        },
        ready_seconds=180,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
