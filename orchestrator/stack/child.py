"""A started part: its process, its log, its end."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from orchestrator.stack.part import Part, PartFailed
from workers.parent_death import bound

_TAIL_LINES = 15
_TAIL_BYTES = 8192


class Child:
    """Runs in a session of its own, so that Ctrl-C in the terminal reaches only the supervisor, which then ends the
    parts in order. What it prints goes to ``log``; the log of the start before is kept beside it."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part = part
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        self._started = time.monotonic()
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                bound(part.command, part.orphan_signal),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **part.environment},
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def overdue(self) -> bool:
        """Whether it has had the time that its part may take to become ready."""
        return time.monotonic() - self._started > self.part.ready_seconds

    def failed(self, what: str = "") -> PartFailed:
        """The error that tells how it ended, with the end of its log."""
        return PartFailed(self.part.name, what or _ending(self._process.returncode), str(self.log), self._tail())

    def terminate(self) -> None:
        if self.running:
            self._process.terminate()

    def finish(self, until: float) -> bool:
        """Wait for its end until ``until`` (monotonic seconds), then kill what is left of its session.

        Returns whether it ended by itself.
        """
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
            orderly = True
        except subprocess.TimeoutExpired:
            orderly = False
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        return orderly

    def _tail(self) -> str:
        with self.log.open("rb") as source:
            source.seek(max(0, source.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = source.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}"
