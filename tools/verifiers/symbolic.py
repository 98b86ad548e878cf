"""Compares expressions in a process of its own: their arithmetic can take for ever, and a thread can not be stopped."""

import functools
import json
import os
import select
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

_WORKER = Path(__file__).with_name("symbolic_worker.py")
_SECONDS = 5.0
# The libraries take about a second to import, more on a busy machine.
_START_SECONDS = 60.0
_REMEMBERED = 4000


class ProcessComparison:
    """Implements `tools.verifiers.protocol.Comparison`. One process serves all threads, one comparison at a time.

    ``seconds`` bounds a comparison, after which it counts as not equal. The process starts with the first one, ends
    with `close` or with this process, and is started again if it died.
    """

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        # Policies look at the same answers after each attempt, and benchmarks many times.
        self._remembered = functools.lru_cache(maxsize=_REMEMBERED)(self._compared)

    def equal(self, left: str, right: str) -> bool:
        with self._lock:
            try:
                return self._remembered(left, right)
            except OSError:
                self._stop()
                return False

    def _compared(self, left: str, right: str) -> bool:
        # The worker keeps the limit itself; the second beyond is for a worker that does not.
        question: dict[str, str | float] = {"left": left, "right": right, "seconds": self._seconds}
        return self._ask(self._running(), question, self._seconds + 2) == b"1"

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # it parses what models wrote, so it gets none of our secrets
            env={},
        )
        self._read(self._process, _START_SECONDS)
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], question: dict[str, str | float], seconds: float) -> bytes:
        assert process.stdin is not None  # it was asked for as a pipe
        process.stdin.write(json.dumps(question).encode() + b"\n")
        process.stdin.flush()
        return self._read(process, seconds)

    def _read(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        """One byte of the worker. Raises OSError when none comes in time or it has ended."""
        assert process.stdout is not None  # it was asked for as a pipe
        ready, _, _ = select.select([process.stdout], [], [], seconds)
        if not ready:
            raise TimeoutError(f"the comparison of expressions did not answer within {seconds} s")
        data = os.read(process.stdout.fileno(), 1)
        if not data:
            raise BrokenPipeError("the process that compares expressions ended")
        return data

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process = None


def comparison() -> ProcessComparison:
    """The one of this process, made when it is first needed."""
    # by process, for a forked child must not share the pipes of its parent
    return _comparison_of(os.getpid())


@functools.lru_cache(maxsize=1)
def _comparison_of(pid: int) -> ProcessComparison:
    return ProcessComparison()
