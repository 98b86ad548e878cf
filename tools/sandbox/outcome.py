"""What the end of bubblewrap's process says about the program."""

import re
import signal

from tools.sandbox.protocol import Outcome

# the last line of an uncaught error that means that the limit on memory was reached, by whoever raised it
_OUT_OF_MEMORY = re.compile(r"^([\w.]*MemoryError\b.*|.*Z3Exception: b?'?out of memory'?|.*std::bad_alloc.*)$")


def outcome_of(code: int, stderr: str) -> Outcome:
    """The outcome of a program that ended by itself with ``code`` as bubblewrap reports it.

    Bubblewrap turns signal N into 128 + N; a program that exits with such a code by itself reads as killed.
    """
    if code != 0 and _ended_out_of_memory(stderr):
        return "memory"
    if code == 128 + signal.SIGXCPU:
        return "timeout"
    if code < 0 or 128 < code <= 128 + signal.NSIG:
        return "killed"
    return "exited"


def _ended_out_of_memory(stderr: str) -> bool:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    # a crash of a library may be followed by a line or two of its own
    return any(_OUT_OF_MEMORY.match(line) for line in lines[-3:])
