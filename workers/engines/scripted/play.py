"""Plays a reply: waits for a slot, fails where the script says so, paces the tokens and counts them."""

from collections.abc import AsyncGenerator, Sequence

from workers.engines.scripted.generation import Step, steps
from workers.engines.scripted.script import Reply
from workers.engines.scripted.state import EngineState
from workers.engines.scripted.tokenizer import VOCABULARY
from workers.engines.scripted.wire import BrokenOff, Exchange, Refusal


def admit(state: EngineState, reply: Reply, ids: Sequence[int]) -> None:
    """Raise ``Refusal`` as llama.cpp's server would for these ids, or as the script demands."""
    if reply.failure == "unavailable":
        raise Refusal(503, "unavailable_error", "Loading model")
    if reply.failure == "refuse":
        raise Refusal(400, "invalid_request_error", "the script refuses this prompt")
    if ids and not 0 <= min(ids) <= max(ids) < VOCABULARY:
        raise Refusal(400, "invalid_request_error", "Prompt contains invalid tokens")
    context = state.script.context
    if len(ids) >= context:
        message = (
            f"request ({len(ids)} tokens) exceeds the available context size ({context} tokens), try increasing it"
        )
        raise Refusal(400, "exceed_context_size_error", message)


async def play(
    state: EngineState, exchange: Exchange, reply: Reply, text: str, limit: int, stop: Sequence[str], begun: int = 0
) -> AsyncGenerator[Step, None]:
    """Yield the reply's tokens at its pace. Raises ``ClientGone`` when the client leaves, ``BrokenOff`` by script."""
    async with state.slots:
        state.stats.running += 1
        try:
            if reply.prompt_delay:
                await exchange.pause(reply.prompt_delay)
            for count, step in enumerate(steps(reply, text, limit, stop, begun)):
                if reply.failure == "disconnect" and count >= reply.failure_after:
                    raise BrokenOff
                if reply.delay or reply.endless:
                    await exchange.pause(reply.delay)
                state.stats.tokens += 1
                yield step
            state.stats.completed += 1
        finally:
            state.stats.running -= 1
