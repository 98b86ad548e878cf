"""A chat model over a scripted engine."""

from collections.abc import AsyncIterator

import pytest

from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.scripted.server import ScriptedServer
from workers.models.engine_chat import EngineChat
from workers.models.protocol import ModelCard


@pytest.fixture
async def chat(scripted: ScriptedServer) -> AsyncIterator[EngineChat]:
    """``small`` over the scripted engine, with a context of 4,096 tokens."""
    engine = LlamaCppEngine("small", scripted.url)
    yield EngineChat(ModelCard("small", 0.5, 4096), engine)
    await engine.aclose()
