"""A generation that is counted while it runs, so that one cut short is charged for what it took."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from workers.collaboration.protocol import CollaborationMeter
from workers.engines.protocol import Engine, Finish, Generation, Token
from workers.usage import Usage


async def metered(
    engine: Engine, generation: Generation, model: str, meter: CollaborationMeter
) -> AsyncGenerator[Token | Finish, None]:
    """The engine's events; ``meter`` is brought up to date before each is yielded."""
    tokens = 0
    charged: Usage | None = None
    stream = cast(AsyncGenerator[Token | Finish, None], engine.generate(generation))
    async with aclosing(stream):
        async for event in stream:
            if isinstance(event, Finish):
                usage = event.usage
            else:
                tokens += 1
                prompt = generation.counted.prompt or len(generation.prompt)
                usage = Usage(prompt=prompt, completion=tokens, cached=generation.counted.cached)
            meter.add(model, _difference(usage, charged or Usage()), calls=1 if charged is None else 0)
            charged = usage
            yield event


def _difference(now: Usage, before: Usage) -> Usage:
    return Usage(
        prompt=now.prompt - before.prompt,
        completion=now.completion - before.completion,
        cached=now.cached - before.cached,
    )
