"""Who may decode now: asked before every call of an engine."""

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol


class Gate(Protocol):
    """Lets one call of the engine of ``model`` through at a time that suits the machine."""

    def hold(self, model: str) -> AbstractAsyncContextManager[object]:
        """Wait for the model's turn and keep it while the block runs. Raises ``EngineUnavailable`` when nobody can
        say whose turn it is."""
        ...


class OpenGate:
    """Every call may go ahead at once: nothing else decodes here, or each engine has a processor of its own."""

    def hold(self, model: str) -> AbstractAsyncContextManager[object]:
        return nullcontext()
