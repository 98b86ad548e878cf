"""Strategies over a scripted engine and the real sandbox."""

from collections.abc import AsyncIterator, Callable

import pytest

from agents.events import Event
from agents.problem import Problem
from agents.strategy import SolveContext
from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.protocol import Limits
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Sampling
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget, Ledger, Price
from workers.messages import Message
from workers.models.charged import Charged
from workers.models.engine_chat import EngineChat
from workers.models.protocol import ModelCard

ContextFor = Callable[..., SolveContext]


@pytest.fixture
def seen() -> list[Event]:
    """The events that the strategy under test emits."""
    return []


@pytest.fixture
async def context_for(scripted: ScriptedServer, seen: list[Event]) -> AsyncIterator[ContextFor]:
    engine = LlamaCppEngine("only", scripted.url)

    async def emit(event: Event) -> None:
        seen.append(event)

    def build(budget: Budget = Budget(), ledger: Ledger | None = None) -> SolveContext:
        ledger = ledger or Ledger(budget)
        card = ModelCard(name="only", parameters=1.0, context=8192)
        return SolveContext(
            models={"only": Charged(EngineChat(card, engine), ledger, Price())},
            writers=("only",),
            sandbox=BubblewrapSandbox(),
            limits=Limits(),
            emit=emit,
        )

    yield build
    await engine.aclose()


def asked(question: str, *earlier: Message) -> Problem:
    message = Message(role="user", content=question)
    return Problem(messages=(*earlier, message), form="number", sampling=Sampling(max_tokens=256))


FIRST_TURN = (
    Message(role="user", content="A hen lays 4 eggs a day. How many in 3 days?"),
    Message(role="assistant", content="It lays 12 eggs."),
)
FOLLOW_UP = asked("How many of those are left after I eat 2 a day for 3 more days?", *FIRST_TURN)
"""A question that only its thread completes."""
