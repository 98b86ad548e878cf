"""How long a decision takes: the question's vector and the router's estimates, and the judgement of attempts."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from bench.routing.data import RoutingData
from routers.acceptance.card import AcceptanceCard
from routers.acceptance.judgement import judge
from routers.embedding import Embedder
from routers.estimators.choice import best_route
from routers.estimators.features import Features
from routers.estimators.protocol import Estimator

_PRICE = 0.1


class DecisionLatency(BaseModel):
    """Milliseconds from asking to the decision, on questions that were not asked before."""

    model_config = ConfigDict(frozen=True)

    decision: str
    concurrent: int
    n: int
    p50: float
    p95: float
    p99: float


async def first_decisions(
    name: str, estimator: Estimator, embedder: Callable[[], Embedder], texts: Sequence[str], concurrent: int
) -> DecisionLatency:
    """The question's vector, computed off the event loop, then the route with the best value."""
    fresh = embedder()
    await fresh.embed(["load the model"])

    async def decide(text: str) -> None:
        [vector] = await fresh.embed([text])
        best_route(estimator.predict(Features(text, "number", vector)), _PRICE)

    return await _timed(f"first route by {name}", decide, texts, concurrent)


async def judgements(data: RoutingData, card: AcceptanceCard, concurrent: int) -> DecisionLatency:
    """The probability of the leading answer of every attempt at a question, in a thread as the controller asks it."""
    by_id = {one.id: one for one in data.tried}

    async def decide(id: str) -> None:
        one = by_id[id]
        attempts = [attempt for attempt in one.attempts if attempt.route in card.routes]
        await asyncio.to_thread(judge, card, attempts, one.form)

    # The process that compares expressions starts with the first one, once for a gateway's life.
    for id in by_id:
        await decide(id)
    return await _timed("what the evidence says", decide, list(by_id), concurrent)


async def _timed(
    name: str, decide: Callable[[str], Awaitable[None]], work: Sequence[str], concurrent: int
) -> DecisionLatency:
    taken: list[float] = []
    left = itertools.chain(work)

    async def client() -> None:
        for item in left:
            started = time.perf_counter()
            await decide(item)
            taken.append((time.perf_counter() - started) * 1000)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrent):
            group.create_task(client())
    p50, p95, p99 = (float(value) for value in np.quantile(taken, (0.5, 0.95, 0.99)))
    return DecisionLatency(decision=name, concurrent=concurrent, n=len(taken), p50=p50, p95=p95, p99=p99)
