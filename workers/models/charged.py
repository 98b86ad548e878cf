"""A model that draws on a request's ledger: caps what it may write, stops at the deadline, charges what was counted."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from workers.engines.protocol import Finish, Token
from workers.ledger import Charge, Grant, Ledger, Price
from workers.messages import estimated_tokens
from workers.models.protocol import ChatModel, ChatRequest, Meter, ModelCard
from workers.usage import Usage


class Charged:
    """Wraps a model for one request. Raises ``BudgetSpent`` when a call is opened on a spent ledger."""

    def __init__(self, inner: ChatModel, ledger: Ledger, price: Price) -> None:
        self._inner = inner
        self._ledger = ledger
        self._price = price

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        grant = self._ledger.open(request.sampling.max_tokens, self._price, self._prompt_tokens(request))
        written = 0
        usage: Usage | None = None
        try:
            capped = replace(request, sampling=replace(request.sampling, max_tokens=grant.tokens))
            async with (
                aclosing(self._inner.generate(capped)) as stream,
                aclosing(_until_deadline(stream, self._ledger, request.meter)) as events,
            ):
                async for event in events:
                    if isinstance(event, Finish):
                        usage = event.usage
                        if event.reason == "length" and grant.limit is not None:
                            self._ledger.mark_spent(grant.limit)
                        # Charged before the finish is shown: whoever reads it sees a ledger that includes it.
                        self._settle(request, grant, usage)
                    else:
                        written += 1
                    yield event
        finally:
            if usage is None:
                # The call was cut short or failed before the engine could count: charge what was seen.
                self._settle(request, grant, Usage(prompt=request.meter.prompt, completion=written))

    def _prompt_tokens(self, request: ChatRequest) -> int:
        """What the prompt will cost is known before the call only where it has been rendered; else it is estimated."""
        if not self._price.prompt:
            return 0
        if request.prompt is not None:
            return len(request.prompt)
        return estimated_tokens(request.messages, request.prefill, *map(str, request.tools))

    def _settle(self, request: ChatRequest, grant: Grant, usage: Usage) -> None:
        charge = Charge(call=request.call, model=self.card.name, usage=usage, money=self._price.of(usage))
        self._ledger.close(grant, charge)


async def _until_deadline(
    stream: AsyncGenerator[Token | Finish, None], ledger: Ledger, meter: Meter
) -> AsyncGenerator[Token | Finish, None]:
    """Pass events on until the ledger's seconds are over, then end with a ``Finish`` of reason length."""
    written = 0
    while True:
        try:
            async with asyncio.timeout(ledger.seconds_left()):
                event = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            ledger.mark_spent("seconds")
            yield Finish(reason="length", usage=Usage(prompt=meter.prompt, completion=written))
            return
        written += isinstance(event, Token)
        yield event
