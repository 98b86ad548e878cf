"""``tandem serve`` as a process: what it starts, what it says, and that nothing outlives it."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes
from tests.orchestrator.stack.serving import Serving
from tests.waiting import eventually
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


@pytest.fixture
def engine() -> Iterator[ScriptedServer]:
    with ScriptedServer(Script(default=say("Hello."))) as server:
        yield server


@pytest.fixture
def serving(tmp_path: Path, engine: ScriptedServer) -> Iterator[Serving]:
    with Serving(tmp_path, engine.url) as started:
        yield started


def test_it_answers_and_stops_everything_on_ctrl_c(serving: Serving) -> None:
    serving.wait_until_ready()
    children = serving.children()
    assert len(children) >= 3
    assert processes.answers(f"{serving.url}/readyz")
    listening = processes.listening(children)
    assert {serving.port, serving.redis_port} <= listening.keys()
    assert set(listening.values()) == {"127.0.0.1"}
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(timeout=30) == 0
    assert "programs will not run" not in serving.said()
    assert serving.alive(children) == []


@pytest.mark.skipif(not processes.has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_it_serves_over_ipv6(tmp_path: Path, engine: ScriptedServer, host: str) -> None:
    with Serving(tmp_path, engine.url, TANDEM__GATEWAY__HOST=host) as serving:
        serving.wait_until_ready()
        url = f"http://[::1]:{serving.port}"
        assert f"Tandem is ready at {url}" in serving.said()
        assert processes.answers(f"{url}/readyz")
        listening = processes.listening(serving.children())
    assert listening.pop(serving.port) == host
    assert set(listening.values()) == {"127.0.0.1"}


def test_when_a_part_dies_the_others_are_stopped_and_it_is_named(serving: Serving) -> None:
    serving.wait_until_ready()
    children = serving.children()
    redis = next(pid for pid in children if "redis-server" in serving.command_of(pid))
    os.kill(redis, signal.SIGKILL)
    assert serving.process.wait(timeout=40) == 1
    assert "redis" in serving.said() and "SIGKILL" in serving.said()
    assert serving.alive(children) == []


def test_killed_outright_it_leaves_no_child(serving: Serving) -> None:
    serving.wait_until_ready()
    children = serving.children()
    serving.process.kill()
    serving.process.wait()
    deadline = time.monotonic() + 20
    while serving.alive(children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert serving.alive(children) == []


def test_a_taken_port_is_named_with_its_holder_and_the_way_out(tmp_path: Path, engine: ScriptedServer) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with Serving(tmp_path, engine.url, gateway_port=port) as refused:
            assert refused.process.wait(timeout=30) == 1
            said = " ".join(refused.said().split())
    assert f"port {port} for gateway on 127.0.0.1 is used by process {os.getpid()}" in said
    assert "under [gateway] in tandem.toml" in said


async def test_where_programs_cannot_be_isolated_it_says_so_with_the_way_out(
    tmp_path: Path, engine: ScriptedServer, open_folder: Path
) -> None:
    """A machine that forbids namespaces cannot be had here, so a script says what bubblewrap says there."""
    failing = open_folder / "bwrap"
    failing.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    failing.chmod(0o755)
    with Serving(tmp_path, engine.url, PATH=f"{open_folder}:{os.environ['PATH']}") as serving:
        serving.wait_until_ready()
        await eventually(lambda: "programs will not run: user namespaces" in serving.said())


async def test_an_mcp_server_whose_token_is_missing_is_named(tmp_path: Path, engine: ScriptedServer) -> None:
    tickets = {"URL": "http://127.0.0.1:1/mcp", "TOKEN_VARIABLE": "TICKETS_TOKEN"}
    with Serving(
        tmp_path, engine.url, **{f"TANDEM__MCP__TICKETS__{key}": value for key, value in tickets.items()}
    ) as serving:
        serving.wait_until_ready()
        left_out = "the MCP server 'tickets' is left out: $TICKETS_TOKEN is not set"
        await eventually(lambda: left_out in serving.said(), 10)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the sandbox's own user can reach; pytest's are closed to it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_the_same_data_directory_serves_a_second_start(tmp_path: Path, engine: ScriptedServer) -> None:
    for _ in range(2):
        with Serving(tmp_path, engine.url) as started:
            started.wait_until_ready()
            started.process.send_signal(signal.SIGTERM)
            assert started.process.wait(timeout=30) == 0
    assert subprocess.run(["test", "-s", str(tmp_path / "data" / "tandem.db")], check=False).returncode == 0
