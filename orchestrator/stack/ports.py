"""Which ports are taken, and by whom."""

import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestrator.stack.part import Part, StackError


def check_ports(parts: Iterable[Part]) -> None:
    """Raise ``StackError`` naming every port that is taken, who holds it, and the setting that moves it."""
    problems = [problem for part in parts if (problem := port_problem(part)) is not None]
    if problems:
        raise StackError("\n".join(problems))


def port_problem(part: Part) -> str | None:
    """What keeps the part from its port, as one sentence; None where nothing does."""
    if not part.port:
        return None
    try:
        with socket.socket() as probe:
            # Connections of a stack that just ended linger on the port; they do not keep it from being bound.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((part.host, part.port))
    except OSError as error:
        owner = _owner(part.port)
        by = f"is used by process {owner}; stop that" if owner else f"cannot be bound ({error.strerror}); free it"
        return f"port {part.port} for {part.name} on {part.host} {by}, or set another {part.setting} in tandem.toml"
    return None


def _owner(port: int) -> str | None:
    """Id and command line of the process that listens, as far as /proc shows it to this user."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        try:
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                return f"{process.name} ({command[:120]})"
        except OSError:
            continue  # it ended meanwhile, or belongs to another user
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and int(columns[1].rsplit(":", 1)[1], 16) == port:
                yield columns[9]
