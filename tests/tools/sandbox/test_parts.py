"""The parts of the sandbox that decide without running anything."""

import struct

import pytest

from tools.sandbox import seccomp
from tools.sandbox.diagnosis import explain
from tools.sandbox.outcome import outcome_of
from tools.sandbox.output import BoundedOutput

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38


def verdict(machine: str, number: int, arch: int, argument: int = 0) -> int:
    """Run the filter as the kernel does, on one call."""
    code = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    data = {0: number, 4: arch, 16: argument & 0xFFFFFFFF}
    loaded, at = 0, 0
    while True:
        opcode, if_true, if_false, constant = code[at]
        at += 1
        if opcode == 0x20:
            loaded = data[constant]
        elif opcode == 0x06:
            return int(constant)
        else:
            taken = {0x15: loaded == constant, 0x35: loaded >= constant, 0x45: bool(loaded & constant)}[opcode]
            at += if_true if taken else if_false


@pytest.mark.parametrize(
    ("machine", "arch", "read", "clone", "clone3", "socket"),
    [("x86_64", 0xC000003E, 0, 56, 435, 41), ("aarch64", 0xC00000B7, 63, 220, 435, 198)],
)
def test_the_filter(machine: str, arch: int, read: int, clone: int, clone3: int, socket: int) -> None:
    assert verdict(machine, read, arch) == ALLOW
    assert {verdict(machine, number, arch) for number in seccomp.denied(machine).values()} == {ERRNO | EPERM}
    assert verdict(machine, clone3, arch) == ERRNO | ENOSYS
    assert verdict(machine, clone, arch, 0x3D0F00) == ALLOW  # a thread
    assert verdict(machine, clone, arch, 0x10000000 | 17) == ERRNO | EPERM  # a user namespace
    assert verdict(machine, socket, arch, 1) == ALLOW  # AF_UNIX
    assert verdict(machine, socket, arch, 2) == ERRNO | EPERM  # AF_INET
    assert verdict(machine, read, 0x40000003) == KILL  # 32-bit x86


def test_x32_calls_kill() -> None:
    assert verdict("x86_64", 0x40000000, 0xC000003E) == KILL


def test_a_machine_without_a_table_is_not_supported() -> None:
    assert not seccomp.supported("riscv64")
    with pytest.raises(KeyError):
        seccomp.program("riscv64")


@pytest.mark.parametrize(
    ("code", "stderr", "outcome"),
    [
        (0, "", "exited"),
        (0, "MemoryError", "exited"),
        (1, "Traceback\nMemoryError", "memory"),
        (1, "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8 GiB", "memory"),
        (134, "terminate called\n  what():  std::bad_alloc", "memory"),
        (1, "a line about a MemoryError elsewhere", "exited"),
        (137, "", "killed"),
        (152, "", "timeout"),
        (-9, "", "killed"),
        (255, "", "exited"),
    ],
)
def test_the_outcome(code: int, stderr: str, outcome: str) -> None:
    assert outcome_of(code, stderr) == outcome


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_output_keeps_both_ends(chunk: int) -> None:
    output, data = BoundedOutput(100), b"first" + b"." * 500 + b"last"
    for begin in range(0, len(data), chunk):
        output.add(data[begin : begin + chunk])
    assert output.truncated
    assert output.text().startswith("first")
    assert output.text().endswith("last")
    assert "left out" in output.text()
    assert len(output.text()) <= 100


def test_output_within_the_limit_is_whole() -> None:
    output = BoundedOutput(100)
    output.add(b"x" * 60)
    output.add(b"y" * 40)
    assert (output.text(), output.truncated) == ("x" * 60 + "y" * 40, False)


def test_bytes_that_are_no_text_do_not_upset_it() -> None:
    output = BoundedOutput(100)
    output.add(b"\xff\xfe ok")
    assert output.text().endswith(" ok")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("kernel.unprivileged_userns_clone", "0"),
        ("user.max_user_namespaces", "0"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1"),
    ],
)
def test_the_switch_that_forbids_namespaces_is_named(setting: str, value: str) -> None:
    assert f"sysctl -w {setting}=" in explain("bwrap: No permissions to create new namespace", {setting: value})
