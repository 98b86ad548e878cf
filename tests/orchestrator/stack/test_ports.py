"""Whether a part can have its port, on either version of the internet protocol."""

import os
import socket

import pytest

from orchestrator.stack.part import Part
from orchestrator.stack.ports import port_problem
from tests import processes

_IPV6 = pytest.mark.skipif(not processes.has_ipv6(), reason="this machine has no IPv6")


def _gateway(host: str, port: int) -> Part:
    return Part(name="gateway", command=(), ready=bool, host=host, port=port, setting="`port` under [gateway]")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0.0.0.0", *(pytest.param(host, marks=_IPV6) for host in ("localhost", "::1", "::"))]
)
def test_a_port_is_free_until_somebody_listens_there(host: str) -> None:
    family, _, _, _, (address, *_) = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as holder:
        holder.bind((address, 0))
        port = holder.getsockname()[1]
        holder.listen()
        taken = port_problem(_gateway(host, port))
    assert taken is not None
    assert f"port {port} for gateway on {host} is used by process {os.getpid()}" in taken
    # Any process of the machine may take a port that was let go, but not three times.
    assert None in [port_problem(_gateway(host, _let_go(family, address))) for _ in range(3)]


def _let_go(family: int, address: str) -> int:
    with socket.socket(family) as holder:
        holder.bind((address, 0))
        port: int = holder.getsockname()[1]
    return port


@_IPV6
def test_a_port_that_only_the_other_protocol_uses_is_free() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert port_problem(_gateway("::", holder.getsockname()[1])) is None


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "[::1]"])
def test_an_address_that_this_machine_has_not_is_named(host: str) -> None:
    problem = port_problem(_gateway(host, 8000))
    assert problem is not None
    assert f"{host} for gateway is no address of this machine" in problem
    assert "set another `host`" in problem
