"""What `tandem doctor` finds where something is really missing, taken, away or of the wrong kind."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from orchestrator.diagnosis import Finding, diagnose
from orchestrator.settings import Settings
from tests import processes
from tests.orchestrator.conftest import settings_for
from tests.other_tokenizer import OfCharacters
from tests.web.conftest import served
from workers.engines.scripted.script import Script
from workers.engines.scripted.server import ScriptedServer

_Set = Callable[..., Settings]
_Rewrite = Callable[[bytes], bytes]


@pytest.fixture
def settings(tmp_path: Path, redis_url: str, scripted: ScriptedServer) -> _Set:
    """Settings with which nothing is wrong, but for what a test sets on top."""
    return partial(settings_for, tmp_path, redis_url, scripted.url)


async def _found(settings: Settings, part: str) -> Finding:
    """The one finding about ``part``."""
    [finding] = [finding for finding in await diagnose(settings) if finding.part == part]
    return finding


async def test_where_nothing_is_wrong_every_finding_is_good(settings: _Set) -> None:
    findings = await diagnose(settings(TANDEM__GATEWAY__PORT=str(processes.free_port())))
    assert [finding for finding in findings if not finding.ok] == []
    assert {"redis", "sandbox", "engine small", "engine large", "tokenizers", "disk"} <= {f.part for f in findings}


async def test_a_redis_that_is_too_old_is_named_with_its_version(settings: _Set, redis_url: str) -> None:
    async with _older_redis(redis_url) as url:
        finding = await _found(settings(REDIS_URL=url), "redis")
    assert not finding.ok
    assert f"{url} is 7." in finding.text and "without Vector Sets" in finding.text
    assert "8.0 or newer is needed: leave `url` under [redis] empty" in finding.text


async def test_a_redis_that_is_away_is_named_with_its_address(settings: _Set) -> None:
    url = f"redis://127.0.0.1:{processes.free_port()}/0"
    finding = await _found(settings(REDIS_URL=url), "redis")
    assert not finding.ok
    assert f"Redis at {url} does not answer" in finding.text and "start it" in finding.text


async def test_an_old_redis_server_on_the_path_gives_way_to_the_installed_one(
    settings: _Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    finding = await _found(settings(REDIS_URL="", TANDEM__REDIS__PORT=str(processes.free_port())), "redis")
    assert finding.ok, finding.text
    assert str(old) not in finding.text and finding.text.startswith("8.")


async def test_a_missing_bubblewrap_is_named_with_its_package(
    settings: _Set, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = await _found(settings(), "sandbox")
    assert not finding.ok
    assert "apt-get install bubblewrap" in finding.text


async def test_a_taken_port_is_named_with_its_holder_and_its_setting(settings: _Set) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        finding = await _found(settings(TANDEM__GATEWAY__PORT=str(port)), f"port {port}")
    assert not finding.ok
    assert f"port {port} for gateway on 127.0.0.1 is used by process {os.getpid()}" in finding.text
    assert "`port` under [gateway]" in finding.text


async def test_an_engine_that_is_away_is_named_with_its_address(settings: _Set) -> None:
    url = f"http://127.0.0.1:{processes.free_port()}"
    environment = {"TANDEM__MODELS__SMALL__ENGINE__URL": url}
    finding = await _found(settings(**environment), "engine small")
    assert not finding.ok
    assert "'small'" in finding.text and url in finding.text
    assert (await _found(settings(**environment), "engine large")).ok


async def test_tokenizers_that_split_the_same_text_differently_are_named(settings: _Set) -> None:
    async with served(OfCharacters(Script())) as url:
        finding = await _found(settings(TANDEM__MODELS__LARGE__ENGINE__URL=url), "tokenizers")
    assert not finding.ok
    assert "large and small split the same text differently" in finding.text
    assert "models of one family" in finding.text


async def test_tokenizers_that_cannot_be_compared_yet_are_said_to_be_so(settings: _Set) -> None:
    said = "not compared until the engines run"
    away = f"http://127.0.0.1:{processes.free_port()}"
    assert (await _found(settings(TANDEM__MODELS__LARGE__ENGINE__URL=away), "tokenizers")).text == said
    ours = {"TANDEM__GATEWAY__PORT": str(processes.free_port()), "TANDEM__MODELS__LARGE__ENGINE__URL": ""}
    assert (await _found(settings(**ours), "tokenizers")).text == said
    ours["TANDEM__MODELS__SMALL__ENGINE__URL"] = ""
    assert (await _found(settings(**ours), "tokenizers")).text == "equal: both are Qwen2.5-Coder"
    ours["TANDEM__MODELS__SMALL__SHA256"] = "0" * 64
    assert await _found(settings(**ours), "tokenizers") == Finding("tokenizers", True, said)


@asynccontextmanager
async def _older_redis(url: str) -> AsyncIterator[str]:
    """A way to the Redis at ``url`` on which it says that it is version 7, and does not know Vector Sets."""
    port = int(url.rsplit(":", 1)[1].partition("/")[0])

    async def carry(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, questions = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            _pump(client, questions, lambda asked: asked.replace(b"VCARD", b"VNONE")),
            _pump(server, answers, lambda said: said.replace(b"redis_version:8", b"redis_version:7")),
        )

    async with await asyncio.start_server(carry, "127.0.0.1", 0) as carrier:
        yield f"redis://127.0.0.1:{carrier.sockets[0].getsockname()[1]}/0"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rewrite: _Rewrite) -> None:
    while data := await reader.read(1 << 16):
        writer.write(rewrite(data))
        await writer.drain()
    writer.close()


async def test_the_token_of_an_mcp_server_is_missed_by_its_variable_and_never_shown(
    settings: _Set, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = settings(
        TANDEM__MCP__TICKETS__URL="http://127.0.0.1:1/mcp", TANDEM__MCP__TICKETS__TOKEN_VARIABLE="TICKETS_TOKEN"
    )
    part = "token of MCP server tickets"
    finding = await _found(named, part)
    assert not finding.ok
    assert "$TICKETS_TOKEN is not set; export" in finding.text and "[mcp.tickets]" in finding.text
    monkeypatch.setenv("TICKETS_TOKEN", "s3cret\x07token")
    finding = await _found(named, part)
    assert not finding.ok and "characters that no token may have" in finding.text and "s3cret" not in finding.text
    monkeypatch.setenv("TICKETS_TOKEN", "s3cret")
    assert await _found(named, part) == Finding(part, True, "$TICKETS_TOKEN is set")
