"""What a scripted engine remembers: its script, its counters, and what its prefix cache would hold."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from workers.engines.scripted.script import Reply, Script

_PROMPTS_KEPT = 64
_PROMPT_CHARACTERS = 20_000


@dataclass(slots=True)
class Stats:
    """Counters since the start. ``tokens`` were generated and sent; ``aborted`` generations lost their client."""

    requests: int = 0
    running: int = 0
    completed: int = 0
    aborted: int = 0
    failed: int = 0
    tokens: int = 0
    prompts: deque[str] = field(default_factory=lambda: deque(maxlen=_PROMPTS_KEPT))

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "prompts": list(self.prompts)}


class EngineState:
    """Shared by all requests of one server; used from its event loop only."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.stats = Stats()
        self.slots = asyncio.Semaphore(script.slots)
        self._calls: dict[int, int] = {}
        self._last: list[int] = []

    def begin(self, prompt: str) -> tuple[Reply, str]:
        """Count a request; the reply for ``prompt`` and the text that is its turn."""
        reply = self.script.reply(prompt)
        call = self._calls.get(id(reply), 0)
        self._calls[id(reply)] = call + 1
        self.stats.requests += 1
        self.stats.prompts.append(prompt[-_PROMPT_CHARACTERS:])
        return reply, reply.texts[call % len(reply.texts)]

    def cached(self, prompt: Sequence[int]) -> int:
        """Length of what ``prompt`` shares with the sequence served last; at least one token is always read."""
        shared = 0
        for mine, theirs in zip(prompt, self._last, strict=False):
            if mine != theirs:
                break
            shared += 1
        return min(shared, max(len(prompt) - 1, 0))

    def remember(self, ids: list[int]) -> None:
        self._last = ids
