"""Says in words why bubblewrap could not isolate a program, and what to do about it."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

MISSING = "bubblewrap (bwrap) is not on the PATH: install the Debian package `bubblewrap` (apt-get install bubblewrap)"

# sysctl, the value that forbids, and the command that mends it
_SWITCHES = (
    (
        "kernel.unprivileged_userns_clone",
        "0",
        "sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    ("user.max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
    (
        "kernel.apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give bwrap an AppArmor profile with `userns,`",
    ),
)
_NAMESPACES = (
    "creating new namespace",
    "no permissions to creat",
    "uid map",
    "user namespace",
    "loopback",
)


def switches() -> dict[str, str]:
    """The kernel settings that decide over user namespaces, as far as this kernel has them."""
    found = {}
    for name, _, _ in _SWITCHES:
        with suppress(OSError):
            found[name] = Path("/proc/sys", *name.split(".")).read_text().strip()
    return found


def explain(stderr: str, settings: Mapping[str, str]) -> str:
    """The reason behind what bubblewrap printed; ``settings`` as `switches` returns them."""
    said = " ".join(stderr.split())[-500:] or "nothing"
    low = said.lower()
    if "unknown option" in low:
        return f"bubblewrap is too old, version 0.8 or newer is needed; it said: {said}"
    if any(word in low for word in _NAMESPACES):
        for name, forbids, mend in _SWITCHES:
            if settings.get(name) == forbids:
                return f"user namespaces are switched off ({name} = {forbids}): run `{mend}`; bubblewrap said: {said}"
        return (
            "user namespaces are not allowed here; in a container give it a seccomp profile that allows unshare, mount "
            f"and pivot_root (see compose.yaml); bubblewrap said: {said}"
        )
    if "mount proc" in low:
        return (
            "a fresh /proc can not be mounted, as in a container that masks parts of /proc: start it with "
            f"`--security-opt systempaths=unconfined`; bubblewrap said: {said}"
        )
    return f"bubblewrap could not start the program; it said: {said}"
