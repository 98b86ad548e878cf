"""Greedy generations of an engine, whole or up to a condition."""

import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import cast

from workers.engines.protocol import Engine, Finish, FinishReason, Generation, Sampling, Token


async def greedy(
    engine: Engine,
    prompt: Sequence[int],
    limit: int,
    enough: Callable[[str], bool] = lambda text: False,
    top_logprobs: int = 0,
) -> tuple[list[Token], FinishReason]:
    """At most ``limit`` greedy tokens after ``prompt``, up to the first one after which the text is ``enough``."""
    generation = Generation(tuple(prompt), Sampling(max_tokens=limit), uuid.uuid4().hex, top_logprobs)
    tokens: list[Token] = []
    text = ""
    events = cast(AsyncGenerator[Token | Finish, None], engine.generate(generation))
    async with aclosing(events) as stream:
        async for event in stream:
            if isinstance(event, Finish):
                return tokens, event.reason
            tokens.append(event)
            text += event.text
            if enough(text):
                return tokens, "stop"
    raise AssertionError("an engine ends every generation with a finish")
