"""Becomes an unprivileged user on the host, then bubblewrap. Started as root only: ``python -I -S launcher.py PLAN``.

The process limit of the kernel does not bind host uid 0, not even inside a user namespace, so bubblewrap has to be
started as another uid. That uid may be unable to reach the interpreter (below /root, for instance), hence the paths
are first bound, in a mount namespace of this process alone, below a folder that it can reach.

PLAN is a JSON object: ``uid``, ``stage`` (pairs of source and name below the staging folder), ``groups`` (cgroup.procs
files to join) and ``command`` (bubblewrap with its arguments).
"""

import ctypes
import json
import os
import sys

# Nothing that a sandbox shows lies below it, so covering it hides nothing that is needed.
STAGING = "/sys"
FAILED = 125

_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_MS_NOSUID, _MS_NODEV = 0x2, 0x4


def main() -> None:
    plan = json.loads(sys.argv[1])
    for path in plan["groups"]:
        with open(path, "w", encoding="ascii") as file:
            file.write("0")
    stage(plan["stage"])
    uid = available(plan["uid"])
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.umask(0o022)
    os.execv(plan["command"][0], plan["command"])


def stage(pairs: list[tuple[str, str]]) -> None:
    """Make each source reachable as STAGING/name, visible to this process and its children only."""
    libc = ctypes.CDLL(None, use_errno=True)
    check(libc.unshare(_CLONE_NEWNS), "take a mount namespace")
    mount(libc, "none", "/", _MS_REC | _MS_PRIVATE)
    mount(
        libc,
        "tmpfs",
        STAGING,
        _MS_NOSUID | _MS_NODEV,
        kind="tmpfs",
        data="mode=755,size=1m",
    )
    for source, name in pairs:
        target = f"{STAGING}/{name}"
        if os.path.isdir(source):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        mount(libc, source, target, _MS_BIND | _MS_REC)


def mount(
    libc: ctypes.CDLL,
    source: str,
    target: str,
    flags: int,
    kind: str = "none",
    data: str = "",
) -> None:
    result = libc.mount(
        source.encode(),
        target.encode(),
        kind.encode(),
        ctypes.c_ulong(flags),
        data.encode(),
    )
    check(result, f"mount {source} on {target}")


def check(result: int, action: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"could not {action}: {os.strerror(number)}")


def available(uid: int) -> int:
    """``uid`` where this user namespace maps it, else nobody: a container may map the first 65536 only."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        for line in file:
            first, _, length = map(int, line.split())
            if first <= uid < first + length:
                return uid
    return 65534


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        print(f"the launcher of the sandbox failed: {error}", file=sys.stderr)
        sys.exit(FAILED)
