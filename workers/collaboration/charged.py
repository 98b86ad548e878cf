"""Collaborative answers that draw on a request's ledger: capped, stopped at its limits, charged by model."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from workers.collaboration.protocol import (
    Collaboration,
    CollaborationEvent,
    CollaborationFinish,
    CollaborationMeter,
    CollaborationRequest,
)
from workers.ledger import Charge, Grant, Ledger, Limit, Price
from workers.messages import estimated_tokens
from workers.usage import Usage


class ChargedCollaboration:
    """Wraps a collaboration for one request. An answer counts as one call of the ledger, however often the models take
    turns; its tokens are charged to each model, discarded ones included. Raises ``BudgetSpent`` when an answer is
    begun on a spent ledger; one that meets a limit on its way ends there with reason "length".
    """

    def __init__(self, inner: Collaboration, ledger: Ledger, prices: Mapping[str, Price]) -> None:
        self._inner = inner
        self._ledger = ledger
        self._prices = prices

    async def write(self, request: CollaborationRequest) -> AsyncGenerator[CollaborationEvent, None]:
        prompt = estimated_tokens(request.messages, request.prefill)
        grant = self._ledger.open(request.sampling.max_tokens, self._dearest(request), prompt)
        capped = request.model_copy(update={"sampling": replace(request.sampling, max_tokens=grant.tokens)})
        finish: CollaborationFinish | None = None
        try:
            async with (
                aclosing(self._inner.write(capped)) as events,
                aclosing(self._within_limits(events, capped.meter, grant)) as bounded,
            ):
                async for event in bounded:
                    if isinstance(event, CollaborationFinish):
                        finish = event
                        break
                    yield event
        finally:
            if finish is None:
                # Cut short or failed: what the engines had counted by then.
                self._settle(request, grant, capped.meter.usage)
        if finish is None:
            raise RuntimeError(f"the answer of job {request.job} ended without a finish")
        if finish.reason == "length" and grant.limit is not None:
            self._ledger.mark_spent(grant.limit)
        # Charged before the finish is shown: whoever reads it sees a ledger that includes it.
        self._settle(request, grant, finish.usage)
        yield finish

    async def _within_limits(
        self, events: AsyncGenerator[CollaborationEvent, None], meter: CollaborationMeter, grant: Grant
    ) -> AsyncGenerator[CollaborationEvent, None]:
        """Pass events on until a limit of the ledger is met, then end with reason length."""
        while True:
            limit = self._overdrawn(meter, grant)
            if limit is None:
                try:
                    async with asyncio.timeout(self._ledger.seconds_left()):
                        event = await anext(events)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    limit = "seconds"
            if limit is not None:
                await events.aclose()
                self._ledger.mark_spent(limit)
                yield CollaborationFinish("length", dict(meter.usage), dict(meter.calls))
                return
            yield event

    def _dearest(self, request: CollaborationRequest) -> Price:
        """What a token costs at most: both models read the prompt, either may write."""
        small, large = self._prices[request.small], self._prices[request.large]
        return Price(prompt=small.prompt + large.prompt, completion=max(small.completion, large.completion))

    def _overdrawn(self, meter: CollaborationMeter, grant: Grant) -> Limit | None:
        """What has used up more than there was: tokens that were discarded, or money for those and for what was read
        again."""
        tokens, money = self._ledger.tokens_left(), self._ledger.money_left()
        if tokens is not None and sum(used.completion for used in meter.usage.values()) > grant.tokens + tokens:
            return "tokens"
        drawn = sum(self._prices[model].of(used) for model, used in meter.usage.items())
        return "money" if money is not None and drawn > grant.money + money else None

    def _settle(self, request: CollaborationRequest, grant: Grant, usage: Mapping[str, Usage]) -> None:
        charges = [
            Charge(
                call=f"{request.job}:{model}",
                model=model,
                usage=used,
                money=self._prices[model].of(used),
                calls=0 if position else 1,
            )
            for position, (model, used) in enumerate(usage.items())
        ] or [Charge(call=f"{request.job}:{request.small}", model=request.small, usage=Usage())]
        self._ledger.close(grant, charges[0])
        for charge in charges[1:]:
            self._ledger.record(charge)
