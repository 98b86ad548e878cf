"""``large``: the large model writes everything. The reference that always hands over."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from workers.collaboration.policy import Call, Desk, Keep, PolicyOptions, Resources


class LargeOptions(PolicyOptions):
    """None of its own."""


class Large:
    name = "large"
    level = "step"
    Options = LargeOptions
    reserve = 0

    def __init__(self, options: LargeOptions, resources: Resources) -> None:
        self._options = options

    async def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        async with aclosing(desk.propose("large", Call(top_logprobs=self._options.top_logprobs))) as proposals:
            async for proposal in proposals:
                yield Keep("large", (proposal,), "it writes everything")
