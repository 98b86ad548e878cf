"""One process of the local stack."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Part:
    """What to start and how to see that it is ready.

    ``ready`` is asked again and again and must answer within about a second. ``port`` is bound on ``host`` by the
    part and has to be free before; ``setting`` is the settings key that changes it.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    address: str = ""
    detail: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    setting: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_seconds: float = 60.0
    orphan_signal: signal.Signals = signal.SIGKILL


class StackError(Exception):
    """The stack cannot start or go on; the message says which part, why, and what to do."""


class PartFailed(StackError):
    """A part ended, or was not ready in time."""

    def __init__(self, name: str, what: str, log: str, tail: str) -> None:
        super().__init__(f"{name} {what}; its log is {log}" + (f" and ends:\n{tail}" if tail else ", and is empty"))
        self.part = name
