"""Hostile programs against the real sandbox: each file in hostile/ tries to get out and says what came of it."""

import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tools.sandbox import seccomp
from tools.sandbox.layout import Interpreter
from tools.sandbox.protocol import Execution

Run = Callable[..., Awaitable[Execution]]

HOSTILE = Path(__file__).with_name("hostile")
PROJECT = Path(__file__).parents[3]
SECRET = "a-secret-of-the-host-2718281828"
PROCESSES = 24

# They kill themselves or their whole namespace, or sleep until they are stopped.
ENDS_BY_FORCE = {"kill_parent", "kill_everything", "other_architecture", "fork_bomb", "fork_bomb_orphans"}
# Outside a sandbox these reach what the test made, and harm nothing: proof that the attack works.
WORK_OUTSIDE = [
    "network_tcp",
    "network_udp",
    "socket_abstract",
    "socket_path",
    "read_secret_file",
    "read_project",
    "read_symlink",
    "write_symlink",
    "environment",
    "environment_of_others",
    "see_processes",
    "sys_folder",
    "hidden_memory",
]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What the host has to lose: servers, files, a process, a secret in the environment. Values by placeholder."""
    monkeypatch.setenv("TANDEM_TEST_SECRET", SECRET)
    tmp_path.chmod(0o777)
    secret_file = tmp_path / "secret"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o666)
    abstract = f"tandem-{tmp_path.name}-{id(tmp_path)}"
    tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    named, hidden = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    named.bind(str(tmp_path / "socket"))
    hidden.bind(f"\0{abstract}")
    for server in (named, hidden):
        server.listen()
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    interpreter = Interpreter.current()
    try:
        yield {
            "TCP_PORT": str(tcp.getsockname()[1]),
            "UDP_PORT": str(udp.getsockname()[1]),
            "ABSTRACT": abstract,
            "SOCKET_PATH": str(tmp_path / "socket"),
            "SECRET": SECRET,
            "SECRET_FILE": str(secret_file),
            "WRITABLE_FOLDER": str(tmp_path),
            "PROJECT": str(PROJECT),
            "HOME": str(Path.home()),
            "PREFIX": interpreter.prefix,
            "PACKAGES": interpreter.packages[0],
            "TEST_PID": str(threading.get_native_id()),
            "VICTIM_PID": str(victim.pid),
            "MACHINE": platform.machine(),
            "CALLS": " ".join(f"{name}={number}" for name, number in seccomp.denied().items()),
            "PROCESSES": str(PROCESSES),
            "FILE_BYTES": str(17 * 2**20),
        }
        assert victim.poll() is None, "the program killed a process of the host"
        assert not (tmp_path / "mark").exists()
    finally:
        victim.kill()
        victim.wait()
        for server in (tcp, udp, named, hidden):
            server.close()


def attack(name: str, host: dict[str, str]) -> str:
    source = (HOSTILE / f"{name}.py").read_text()
    for placeholder, value in host.items():
        source = source.replace(f"@{placeholder}@", value)
    return source


@pytest.mark.parametrize("name", sorted(path.stem for path in HOSTILE.glob("*.py")))
async def test_a_hostile_program_is_contained(name: str, run: Run, host: dict[str, str]) -> None:
    by_force = name in ENDS_BY_FORCE
    execution = await run(attack(name, host), processes=PROCESSES, wall_seconds=4.0 if by_force else 30.0)
    assert execution.outcome != "refused", execution.stderr
    assert "ESCAPED" not in execution.stdout, execution.stdout
    assert SECRET not in execution.stdout + execution.stderr
    if not by_force:
        assert "CONTAINED" in execution.stdout, execution
        assert execution.outcome == "exited"


@pytest.mark.parametrize("name", WORK_OUTSIDE)
def test_the_attack_works_where_there_is_no_sandbox(name: str, host: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "working"
    folder.mkdir()
    command = [sys.executable, "-c", attack(name, host)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert "ESCAPED" in done.stdout, done
    (tmp_path / "mark").unlink(missing_ok=True)
