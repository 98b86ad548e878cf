"""What decoding and reading cost on two engines, measured here."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import cast

import numpy as np
from pydantic import BaseModel, ConfigDict

from workers.engines.protocol import Engine, Finish, Generation, Sampling, Token
from workers.usage import Usage

_PREFIX = 192
_CHUNKS = (8, 32, 192)
_DECODED = 32
_REPEATS = 2


class EngineCosts(BaseModel):
    """Seconds: ``decode`` for one more token; ``read`` for one token of a chunk, by the size of the chunk. What a
    request costs beside them (HTTP, scheduling) is in neither: it is what efficiency is lost to, and ``call`` has it,
    0 where an earlier version measured."""

    model_config = ConfigDict(frozen=True)

    decode: float
    read: dict[int, float]
    call: float = 0.0

    def read_seconds(self, tokens: int, calls: int) -> float:
        """For ``tokens`` read in ``calls`` chunks. A chunk takes a pass over the weights and something for each of its
        tokens, so what it takes lies on a straight line between the measured sizes: then only the mean size matters,
        and not how the tokens are spread over the calls, of which the first one reads the prompt."""
        if not tokens:
            return 0.0
        size = max(1.0, tokens / max(1, calls))
        known = sorted(self.read)
        if size >= known[-1]:
            return tokens * self.read[known[-1]]
        chunk = float(np.interp(size, [0, *known], [0.0, *(each * self.read[each] for each in known)]))
        return tokens / size * chunk


Costs = Mapping[str, EngineCosts]


def decoding_steps(used: Usage, calls: int) -> int:
    """Passes over the weights beside those that read: the first token of every call comes out of its reading."""
    return max(0, used.completion - calls)


def needed_seconds(usage: Mapping[str, Usage], calls: Mapping[str, int], costs: Costs) -> float:
    """The time that the tokens which were decoded and read must take, one after the other."""
    return sum(
        decoding_steps(used, calls[model]) * costs[model].decode
        + costs[model].read_seconds(used.prompt - used.cached, calls[model])
        for model, used in usage.items()
    )


async def measure_costs(engine: Engine) -> EngineCosts:
    """Decode and read costs of an engine that nothing else uses, the least of a few measurements of each."""
    vocabulary = (await engine.describe()).vocabulary
    runs = [await _measure(engine, vocabulary, start) for start in range(_REPEATS)]
    decode = min(run[0] for run in runs)
    # A chunk of one token costs a decoding step and what a request costs anyway.
    overhead = max(0.0, min(run[1][1] for run in runs) - decode)
    read = {chunk: max(1e-6, min(run[1][chunk] for run in runs) - overhead) / chunk for chunk in _CHUNKS}
    return EngineCosts(decode=decode, read={1: decode, **read}, call=overhead)


async def _measure(engine: Engine, vocabulary: int, start: int) -> tuple[float, dict[int, float]]:
    """Seconds of a decoding step, and seconds to the first token after every size of chunk on top of one prefix."""
    # Text that no cache has seen: ids in an order of their own for every run.
    fresh = [(index * 7919 + start * 104729) % min(vocabulary, 50_000) for index in range(1, 2000)]
    prompt = fresh[:_PREFIX]
    times = await _token_times(engine, prompt, _DECODED)
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    decode = gaps[len(gaps) // 2] if gaps else times[0]
    first: dict[int, float] = {}
    for chunk in (1, *_CHUNKS):
        # Each chunk differs from the others in its first id, so that only the prefix is shared.
        ids = [*prompt, *fresh[_PREFIX + 2 * chunk : _PREFIX + 3 * chunk]]
        first[chunk] = (await _token_times(engine, ids, 1))[0]
    return decode, first


async def _token_times(engine: Engine, prompt: Sequence[int], limit: int) -> list[float]:
    """Seconds from the request to each token."""
    generation = Generation(tuple(prompt), Sampling(max_tokens=limit), uuid.uuid4().hex)
    started = time.perf_counter()
    times: list[float] = []
    events = cast(AsyncGenerator[Token | Finish, None], engine.generate(generation))
    async with aclosing(events) as stream:
        async for event in stream:
            if isinstance(event, Finish):
                break
            times.append(time.perf_counter() - started)
    # The server frees its slot after the answer has ended.
    await asyncio.sleep(0.05)
    return times or [time.perf_counter() - started]
