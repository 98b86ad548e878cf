"""Stands in the gateway for an engine that only the worker of collaborative answers holds."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from workers.engines.errors import EngineRefused
from workers.engines.protocol import EngineDescription, Finish, Generation, Token


class WorkerOnlyEngine:
    """Implements ``Engine``: refuses everything, and says which strategies can use the model."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def alive(self) -> None:
        raise self._refusal()

    async def describe(self) -> EngineDescription:
        raise self._refusal()

    async def generate(self, generation: Generation) -> AsyncIterator[Token | Finish]:
        raise self._refusal()
        yield

    async def tokenize(self, text: str) -> tuple[int, ...]:
        raise self._refusal()

    async def detokenize(self, ids: Sequence[int]) -> str:
        raise self._refusal()

    async def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        raise self._refusal()

    async def aclose(self) -> None:
        pass

    def _refusal(self) -> EngineRefused:
        return EngineRefused(
            f"model {self.name!r} runs in torch inside the worker of collaborative answers and cannot be asked alone; "
            "ask for a strategy of two models, such as entropy or small, or serve it with llama.cpp or SGLang"
        )
