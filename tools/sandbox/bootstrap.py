"""Runs inside the sandbox, ahead of the program: sets the limits of the process, then runs the program in it.

Started as ``python -P -s bootstrap.py STATUS_FD LIMITS PROGRAM``; LIMITS is a JSON object, PROGRAM the path of the
source.
Only the standard library: it runs where nothing of Tandem can be imported.
"""

import json
import os
import resource
import sys
import types
from typing import Any

_FILES = 256


def main() -> None:
    status, limits, path = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
    sys.path[:0] = limits["packages"]
    with open(path, encoding="utf-8") as file:
        source = file.read()
    confine(limits)
    # From here on the program counts as started: what fails before this byte is the sandbox's failure.
    os.write(status, b"1")
    os.closerange(3, _FILES)
    sys.argv[:] = [path]
    run(source, path)


def confine(limits: dict[str, Any]) -> None:
    """Set the hard limits; without privileges no process in here can raise them again."""
    cpu = limits["cpu_seconds"]
    bounds = {
        # One second between the soft and the hard limit: SIGXCPU tells that it was the CPU limit, SIGKILL would not.
        resource.RLIMIT_CPU: (cpu, cpu + 1),
        resource.RLIMIT_AS: (limits["memory_bytes"],) * 2,
        resource.RLIMIT_NPROC: (limits["processes"],) * 2,
        resource.RLIMIT_FSIZE: (limits["file_bytes"],) * 2,
        resource.RLIMIT_NOFILE: (_FILES, _FILES),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_MSGQUEUE: (0, 0),
        resource.RLIMIT_MEMLOCK: (0, 0),
    }
    for limit, bound in bounds.items():
        _, ceiling = resource.getrlimit(limit)
        if ceiling != resource.RLIM_INFINITY:
            bound = (min(bound[0], ceiling), min(bound[1], ceiling))
        resource.setrlimit(limit, bound)


def run(source: str, path: str) -> None:
    """Run ``source`` as the main module. The traceback of a failure starts at the program's own first frame."""
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    sys.excepthook = report
    exec(compile(source, path, "exec"), module.__dict__)


def report(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
    # This module's top frame, main and run stand above the program's; a syntax error has only those.
    for _ in range(3):
        trace = trace.tb_next if trace else None
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


if __name__ == "__main__":
    main()
