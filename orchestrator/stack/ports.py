"""Which ports are taken, and by whom."""

import errno
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
        _bind(part.host, part.port)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            return (
                f"{part.host} for {part.name} is no address of this machine ({error.strerror}); set another `host`, "
                "such as 127.0.0.1 or ::1, in tandem.toml"
            )
        owner = _owner(part.port)
        by = f"is used by process {owner}; stop that" if owner else f"cannot be bound ({error.strerror}); free it"
        return f"port {part.port} for {part.name} on {part.host} {by}, or set another {part.setting} in tandem.toml"
    return None


def _bind(host: str, port: int) -> None:
    """Bind the port as a server does, on every address that ``host`` stands for, and let go of it. Raises
    ``OSError``."""
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            probe = socket.socket(family, kind, protocol)
        except OSError:
            continue  # a kernel without IPv6: servers leave such an address out
        with probe:
            # Connections of a stack that just ended linger on the port; they do not keep it from being bound.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # Else "::" would take IPv4's port too, which servers leave alone.
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)


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
