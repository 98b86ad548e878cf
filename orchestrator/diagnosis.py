"""Checks everything a run needs, one finding a thing, each with the way to mend it."""

import asyncio
import os
import shutil
from dataclasses import dataclass

from orchestrator.acceptance_readiness import acceptance_state
from orchestrator.addresses import engine_url, gateway_host, gateway_url, redis_url
from orchestrator.listeners import listeners
from orchestrator.mcp_readiness import mcp_problems
from orchestrator.model_files import fetched_here, locate, served_here
from orchestrator.model_park import build_engine
from orchestrator.outside_readiness import outside_states
from orchestrator.settings import Settings
from orchestrator.slack_readiness import slack_problems
from orchestrator.stack.part import Part, StackError
from orchestrator.stack.parts import redis_binary
from orchestrator.stack.ports import port_problem
from orchestrator.stack.probes import answers_ok, redis_answers, redis_problem
from tools.sandbox.bubblewrap import BubblewrapSandbox
from workers.engines.errors import EngineError
from workers.engines.protocol import Engine
from workers.model_files.catalogue import find
from workers.model_files.errors import ModelUnavailable

_PATIENCE_SECONDS = 5.0
_SPACE_FOR_RUNS = 500_000_000
# Text whose ids differ between any two tokenizers that are not the same: digits, markup, accents, another script, and
# the markers that generations of one family differ in.
_PROBE = (
    "<|im_start|>user\nAdd 1234567 + 0.5 to naïve Σ; def f(x):\n    return x**2  # 你好, мир 🙂<|im_end|>\n"
    "<think></think><tool_call></tool_call><tool_response></tool_response>\n"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """``part`` is what was looked at; ``text`` says what it is like and, unless ``ok``, what to do."""

    part: str
    ok: bool
    text: str


_NOT_COMPARED = Finding("tokenizers", True, "not compared until the engines run")


async def diagnose(settings: Settings) -> list[Finding]:
    """Every finding, good and bad. Starts nothing, and fetches nothing but the chat templates that engines need."""
    serving = await asyncio.to_thread(_is_serving, settings)
    findings = await asyncio.to_thread(_models, settings)
    findings.append(await asyncio.to_thread(_redis, settings))
    findings.append(await _sandbox())
    findings += await asyncio.to_thread(_ports, settings, serving)
    findings += await _engines(settings, serving)
    findings += _keys(settings)
    findings += _mcp(settings)
    findings += _slack(settings)
    findings.append(Finding("acceptance", *await asyncio.to_thread(acceptance_state, settings)))
    findings += [Finding(*state) for state in await outside_states(settings)]
    findings.append(_disk(settings))
    return findings


def _is_serving(settings: Settings) -> bool:
    return answers_ok(gateway_host(settings), settings.gateway.port, "/healthz")


def _models(settings: Settings) -> list[Finding]:
    findings = []
    for name in fetched_here(settings):
        try:
            path = locate(settings, name)
        except ModelUnavailable as error:
            findings.append(Finding(f"model {name}", False, str(error)))
        else:
            findings.append(Finding(f"model {name}", True, str(path)))
    return findings


def _redis(settings: Settings) -> Finding:
    if settings.redis.url or redis_answers(redis_url(settings)):
        problem = redis_problem(redis_url(settings))
        return Finding("redis", problem is None, problem or f"answers at {redis_url(settings)}, with Vector Sets")
    try:
        binary, version = redis_binary()
    except StackError as error:
        return Finding("redis", False, str(error))
    return Finding("redis", True, f"{'.'.join(map(str, version))} at {binary}, started by `tandem serve`")


async def _sandbox() -> Finding:
    problem = await BubblewrapSandbox().check()
    return Finding("sandbox", problem is None, problem or "programs are isolated")


def _ports(settings: Settings, serving: bool) -> list[Finding]:
    if serving:
        return [Finding("ports", True, f"held by Tandem itself, which is running at {gateway_url(settings)}")]
    findings = []
    for one in listeners(settings):
        problem = port_problem(
            Part(name=one.name, command=(), ready=bool, host=one.host, port=one.port, setting=one.setting)
        )
        findings.append(Finding(f"port {one.port}", problem is None, problem or f"free for {one.name}"))
    return findings


async def _engines(settings: Settings, serving: bool) -> list[Finding]:
    """Engines that should be up: those with a url always, our own while Tandem is running."""
    local = served_here(settings)
    asked = [name for name, model in settings.models.items() if model.engine.kind not in ("litellm", "torch")]
    names = [name for name in asked if serving or name not in local]
    if not names:
        return [Finding("engines", True, "not running; `tandem serve` starts them"), *_same_file_vocabulary(settings)]
    engines = {name: build_engine(settings, name) for name in names}
    try:
        probes = await asyncio.gather(*(_probe(settings, name, engine) for name, engine in engines.items()))
    finally:
        await asyncio.gather(*(engine.aclose() for engine in engines.values()))
    ids = {name: ids for name, (_, ids) in zip(names, probes, strict=True) if ids is not None}
    return [finding for finding, _ in probes] + _tokenizers(ids, len(asked))


async def _probe(settings: Settings, name: str, engine: Engine) -> tuple[Finding, tuple[int, ...] | None]:
    part = f"engine {name}"
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            description = await engine.describe()
            ids = await engine.tokenize(_PROBE)
    except (EngineError, TimeoutError) as error:
        reason = str(error) or f"does not answer within {_PATIENCE_SECONDS:.0f} s; look at its log"
        return Finding(part, False, reason), None
    said = f"{description.model} at {engine_url(settings, name)}, {description.context} tokens of context"
    return Finding(part, True, said), ids


def _tokenizers(known: dict[str, tuple[int, ...]], engines: int) -> list[Finding]:
    """``known`` are the ids of the probe by the engines that answered, of ``engines`` that there are."""
    if len(known) < 2:
        return [_NOT_COMPARED] if engines > 1 else []
    first = next(iter(known))
    others = [name for name, found in known.items() if found != known[first]]
    if not others:
        return [Finding("tokenizers", True, f"equal: {', '.join(known)}")]
    return [
        Finding(
            "tokenizers",
            False,
            f"{', '.join(others)} and {first} split the same text differently; strategies that switch model token by "
            "token need models of one family: change `sha256` or `file` of one of them",
        )
    ]


def _same_file_vocabulary(settings: Settings) -> list[Finding]:
    """While no engine runs, only the default pair can be vouched for."""
    local = served_here(settings)
    files = [find(settings.models[name].sha256) for name in local]
    if len(local) < 2:
        return []
    if all(file is not None and file.name.startswith("qwen2.5-coder-") for file in files):
        return [Finding("tokenizers", True, "equal: both are Qwen2.5-Coder")]
    return [_NOT_COMPARED]


def _keys(settings: Settings) -> list[Finding]:
    findings = []
    for name, model in settings.models.items():
        variable = model.engine.api_key_variable
        if variable:
            found = bool(os.environ.get(variable))
            text = f"${variable} is set" if found else f"${variable} is not set; export it before `tandem serve`"
            findings.append(Finding(f"key of {name}", found, text))
    return findings


def _mcp(settings: Settings) -> list[Finding]:
    """Servers that get a token; whether it is the right one only they could say."""
    problems = mcp_problems(settings.mcp)
    return [
        Finding(
            f"token of MCP server {name}", name not in problems, problems.get(name, f"${server.token_variable} is set")
        )
        for name, server in settings.mcp.items()
        if server.token_variable
    ]


def _slack(settings: Settings) -> list[Finding]:
    if not settings.slack.enabled:
        return []
    problems = slack_problems(settings.slack)
    if problems:
        return [Finding("slack", False, problem) for problem in problems]
    ways = {"socket": "Socket Mode", "http": f"requests to {gateway_url(settings)}/slack/events"}
    return [Finding("slack", True, f"has what it needs for {ways[settings.slack.mode]}; Slack was not asked")]


def _disk(settings: Settings) -> Finding:
    folder = settings.storage.directory
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB free for {settings.storage.directory}"
    if free >= _SPACE_FOR_RUNS:
        return Finding("disk", True, said)
    return Finding("disk", False, f"{said}; make room, or set `directory` under [storage]")
