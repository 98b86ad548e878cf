"""Real servers for tests: started on a free port, waited for, ended."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

_LISTENS = "0A"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def listening(pids: Iterable[int]) -> dict[int, str]:
    """The ports on which these processes listen, each with the address."""
    sockets = {link for pid in pids for link in _links(pid)}
    return {port: address for address, port, inode in _listeners() if f"socket:[{inode}]" in sockets}


def listening_at(port: int) -> set[str]:
    """The addresses on which anybody listens at this port."""
    return {address for address, found, _ in _listeners() if found == port}


def _listeners() -> Iterator[tuple[str, int, str]]:
    """Address, port and inode of every socket that listens."""
    for table, family in ((Path("/proc/net/tcp"), socket.AF_INET), (Path("/proc/net/tcp6"), socket.AF_INET6)):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            columns = line.split()
            if columns[3] == _LISTENS:
                address, port = columns[1].split(":")
                yield socket.inet_ntop(family, _network_order(address)), int(port, 16), columns[9]


def _links(pid: int) -> set[str]:
    found = set()
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            # One that was closed meanwhile takes nothing away from the others.
            with suppress(OSError):
                found.add(os.readlink(link))
    return found


def _network_order(address: str) -> bytes:
    """From the kernel's way to write it: words of four bytes, each in the machine's order."""
    return b"".join(bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8))


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(
    command: Sequence[str],
    ready: Callable[[], bool],
    log: Path,
    seconds: float = 60,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[int]:
    """Run ``command``, with ``environment`` on top of this one, while the block runs; yields its process id once
    ``ready`` says so.

    Raises ``RuntimeError`` with the end of its output when it ends early or is not ready in time.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **environment}
        )
        try:
            deadline = time.monotonic() + seconds
            while not ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    tail = log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{' '.join(command)} did not become ready in {seconds} s; it said:\n{tail}")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
