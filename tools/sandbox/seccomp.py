"""The system call filter of the sandbox, as the classic BPF program that ``bwrap --seccomp`` loads.

Namespaces and the unprivileged uid do the isolating; the filter takes away the calls that reach large or rarely
audited parts of the kernel, and the ways to hold memory that no other limit counts (memfd, System V memory).
"""

import errno
import platform
import struct
from dataclasses import dataclass

# classic BPF opcodes (linux/bpf_common.h) and seccomp actions (linux/seccomp.h)
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = (
    0x20,
    0x15,
    0x35,
    0x45,
    0x06,
)
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

# offsets into struct seccomp_data; the low half of the first argument comes first on both little-endian machines
_NUMBER, _ARCH, _ARGUMENT_0 = 0, 4, 16

_X32_BIT = 0x40000000
_AF_UNIX = 1
# NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACE = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000

# name: (x86_64, aarch64), None where the machine has no such call
_DENIED: dict[str, tuple[int, int | None]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "unshare": (272, 97),
    "setns": (308, 268),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "fanotify_init": (300, 262),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "personality": (135, 92),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "_sysctl": (156, None),
}


@dataclass(frozen=True)
class _Machine:
    audit_arch: int
    column: int
    clone: int
    clone3: int
    socket: int


_MACHINES = {
    "x86_64": _Machine(audit_arch=0xC000003E, column=0, clone=56, clone3=435, socket=41),
    "aarch64": _Machine(audit_arch=0xC00000B7, column=1, clone=220, clone3=435, socket=198),
}


def supported(machine: str | None = None) -> bool:
    """Whether a filter exists for ``machine`` (as `platform.machine` names it; this machine when None)."""
    return (machine or platform.machine()) in _MACHINES


def denied(machine: str | None = None) -> dict[str, int]:
    """The calls that fail with EPERM whatever their arguments, by name, with their numbers on ``machine``."""
    column = _MACHINES[machine or platform.machine()].column
    return {name: number for name, numbers in _DENIED.items() if (number := numbers[column]) is not None}


def program(machine: str | None = None) -> bytes:
    """The filter for ``machine``: an array of ``struct sock_filter``. Raises KeyError on a machine it has no table for.

    A call from another architecture (32-bit, x32) kills the process, because its numbers mean other calls. ``clone3``
    fails with ENOSYS, for its flags lie in memory that a filter can not read; the C library falls back to ``clone``.
    """
    name = machine or platform.machine()
    layout = _MACHINES[name]
    code = [
        _instruction(_LOAD, _ARCH),
        _instruction(_JUMP_EQUAL, layout.audit_arch, 1, 0),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER),
    ]
    if name == "x86_64":
        code += [
            _instruction(_JUMP_AT_LEAST, _X32_BIT, 0, 1),
            _instruction(_RETURN, _KILL_PROCESS),
        ]
    code += _fail_if(layout.clone3, errno.ENOSYS)
    for number in denied(name).values():
        code += _fail_if(number, errno.EPERM)
    # Each of these looks at an argument, which replaces the loaded call number, so it ends in a verdict of its own.
    code += [
        _instruction(_JUMP_EQUAL, layout.clone, 0, 4),
        _instruction(_LOAD, _ARGUMENT_0),
        _instruction(_JUMP_ANY_BIT, _NEW_NAMESPACE, 0, 1),
        _instruction(_RETURN, _ERRNO | errno.EPERM),
        _instruction(_RETURN, _ALLOW),
        _instruction(_JUMP_EQUAL, layout.socket, 0, 3),
        _instruction(_LOAD, _ARGUMENT_0),
        _instruction(_JUMP_EQUAL, _AF_UNIX, 1, 0),
        _instruction(_RETURN, _ERRNO | errno.EPERM),
        _instruction(_RETURN, _ALLOW),
    ]
    return b"".join(code)


def _fail_if(number: int, error: int) -> list[bytes]:
    return [
        _instruction(_JUMP_EQUAL, number, 0, 1),
        _instruction(_RETURN, _ERRNO | error),
    ]


def _instruction(opcode: int, constant: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", opcode, if_true, if_false, constant)
