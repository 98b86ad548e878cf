"""Starts the parts in stages, watches them, and stops all of them when one ends or a signal comes."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from orchestrator.stack.child import Child
from orchestrator.stack.part import Part
from orchestrator.stack.ports import check_ports

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class Supervisor:
    """A context manager: leaving it stops every part, the ones started last first.

    Call ``start`` from the main thread: the kernel ends a part with the thread that started it.
    """

    def __init__(self, logs: Path, say: Say, grace: float = _GRACE_SECONDS) -> None:
        self._logs = logs
        self._say = say
        self._grace = grace
        self._stages: list[list[Child]] = []
        self._interrupted = threading.Event()

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def children(self) -> list[Child]:
        return [child for stage in self._stages for child in stage]

    @property
    def interrupted(self) -> bool:
        return self._interrupted.is_set()

    def interrupt(self) -> None:
        """End ``start`` or ``watch`` soon; safe in a signal handler."""
        self._interrupted.set()

    def start(self, stages: Sequence[Sequence[Part]]) -> bool:
        """Start the stages one after the other, the parts of one at the same time, each stage once the one before is
        ready. Returns False when interrupted. Raises ``StackError`` when a port is taken, ``PartFailed`` when a part
        ends or is late."""
        check_ports(part for stage in stages for part in stage)
        for stage in stages:
            self._stages.append([])
            for part in stage:
                self._stages[-1].append(Child(part, self._logs / f"{part.name.replace(' ', '-')}.log"))
            if not self._await_ready(self._stages[-1]):
                return False
        return True

    def watch(self) -> None:
        """Return when interrupted. Raises ``PartFailed`` when a part ends by itself."""
        while not self._interrupted.wait(_POLL_SECONDS):
            self._check_running()

    def stop(self) -> None:
        """SIGTERM, then after the grace period SIGKILL; stage by stage, the last first."""
        for stage in reversed(self._stages):
            for child in stage:
                child.terminate()
            until = time.monotonic() + self._grace
            for child in stage:
                if not child.finish(until):
                    self._say(f"{child.part.name} did not stop within {self._grace:.0f} s and was killed")
        self._stages.clear()

    def _await_ready(self, stage: Sequence[Child]) -> bool:
        waiting = list(stage)
        while waiting:
            self._check_running()
            waiting = [child for child in waiting if not child.part.ready()]
            for child in waiting:
                if child.overdue:
                    raise child.failed(f"was not ready within {child.part.ready_seconds:.0f} s")
            if waiting and self._interrupted.wait(_POLL_SECONDS):
                return False
        return not self.interrupted

    def _check_running(self) -> None:
        for child in self.children:
            if not child.running:
                raise child.failed()


@contextmanager
def signals_interrupt(supervisor: Supervisor) -> Iterator[None]:
    """Meanwhile SIGINT, SIGTERM and SIGHUP interrupt the supervisor instead of ending the process."""

    def handle(number: int, frame: FrameType | None) -> None:
        supervisor.interrupt()

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
