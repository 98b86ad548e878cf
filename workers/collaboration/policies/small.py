"""``small``: the small model writes everything. The reference that never hands over."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from workers.collaboration.policy import Call, Desk, Keep, PolicyOptions, Resources


class SmallOptions(PolicyOptions):
    """None of its own."""


class Small:
    name = "small"
    level = "step"
    Options = SmallOptions
    reserve = 0

    def __init__(self, options: SmallOptions, resources: Resources) -> None:
        self._options = options

    async def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        async with aclosing(desk.propose("small", Call(top_logprobs=self._options.top_logprobs))) as proposals:
            async for proposal in proposals:
                yield Keep("small", (proposal,), "it writes everything")
