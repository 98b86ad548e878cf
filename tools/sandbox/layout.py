"""What a program sees of the machine: the command line of bubblewrap."""

import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tools.sandbox.protocol import Limits

HOME = "/home/sandbox"
PROGRAM = f"{HOME}/program.py"
BOOTSTRAP = "/run/bootstrap.py"

_LIBRARIES = ("numpy", "sympy", "z3")
_SYSTEM = (
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/etc/ld.so.cache",
)
_USER = 1000
_PASSWD = f"sandbox:x:{_USER}:{_USER}::{HOME}:/bin/false\n"
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": HOME,
    "LANG": "C.UTF-8",
    # One thread each: the pools of the linear algebra libraries would eat the limits on memory and processes.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # A set has the same order whenever a program runs: a session's later block finds what an earlier one saw.
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs the programs: ``executable`` below ``prefix``, and the folders of the libraries."""

    executable: str
    prefix: str
    packages: tuple[str, ...]

    @classmethod
    def current(cls) -> "Interpreter":
        """The interpreter below this virtual environment, with the environment's packages.

        Raises ModuleNotFoundError, naming the library, where numpy, sympy or z3 is not installed.
        """
        base = getattr(sys, "_base_executable", sys.executable)
        return cls(
            executable=os.path.realpath(base),
            prefix=os.path.realpath(sys.base_prefix),
            packages=tuple(dict.fromkeys(_folder_of(library) for library in _LIBRARIES)),
        )

    def read_only(self) -> list[str]:
        """Folders to show read-only, none inside another one."""
        wanted = [path for path in (*_SYSTEM, self.prefix, *self.packages) if os.path.exists(path)]
        wanted = [path for path in wanted if not os.path.islink(path)]
        return [
            path for path in dict.fromkeys(wanted) if not any(Path(path).is_relative_to(o) for o in wanted if o != path)
        ]


@dataclass(frozen=True)
class Descriptors:
    """File descriptors that bubblewrap inherits: contents to copy in, the filter, and where the start is reported."""

    program: int
    bootstrap: int
    passwd: int
    seccomp: int
    info: int
    status: int

    def all(self) -> tuple[int, ...]:
        return (
            self.program,
            self.bootstrap,
            self.passwd,
            self.seccomp,
            self.info,
            self.status,
        )


def passwd() -> str:
    """The contents of the sandbox's own /etc/passwd."""
    return _PASSWD


def arguments(
    binds: list[tuple[str, str]],
    descriptors: Descriptors,
    limits: Limits,
    command: list[str],
) -> list[str]:
    """Arguments of bubblewrap for ``command``. ``binds`` are pairs of host path and path inside."""
    size = ["--size", str(limits.file_bytes)]
    result = [
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
    ]
    result += [
        "--uid",
        str(_USER),
        "--gid",
        str(_USER),
        "--hostname",
        "sandbox",
        "--cap-drop",
        "ALL",
    ]
    # Before the binds: an environment that was installed under /tmp must not be hidden by it.
    result += ["--perms", "1777", *size, "--tmpfs", "/tmp", *size, "--tmpfs", HOME]
    for source, inside in binds:
        result += ["--ro-bind", source, inside]
    for link in ("/lib", "/lib32", "/lib64"):
        if os.path.islink(link):
            result += ["--symlink", os.readlink(link), link]
    result += ["--proc", "/proc", "--dev", "/dev"]
    result += ["--perms", "1777", *size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    result += ["--ro-bind-data", str(descriptors.passwd), "/etc/passwd"]
    result += ["--ro-bind-data", str(descriptors.bootstrap), BOOTSTRAP]
    # --file and not a bind: a program may rewrite or delete its own source like any other file of its folder.
    result += ["--file", str(descriptors.program), PROGRAM]
    result += ["--remount-ro", "/", "--chdir", HOME, "--clearenv"]
    for name, value in _ENVIRONMENT.items():
        result += ["--setenv", name, value]
    result += [
        "--seccomp",
        str(descriptors.seccomp),
        "--info-fd",
        str(descriptors.info),
    ]
    return [*result, "--", *command]


def _folder_of(library: str) -> str:
    spec = find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the sandbox offers {library}, which is not installed in this environment")
    return str(Path(os.path.realpath(spec.submodule_search_locations[0])).parent)
