"""``entropy``: the large model writes where the active model is uncertain.

Entropy Adaptive Decoding (Simonds, "Entropy Adaptive Decoding: Dynamic Model Switching for Efficient Inference", arXiv
2502.06833): a rolling mean of the writing model's entropy against a threshold, and a minimum stay after each switch.
Nothing is verified; the answer may leave what either model would have written.
"""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import Field

from workers.collaboration.policy import Call, Desk, Keep, PolicyOptions, Resources, Role


class EntropyOptions(PolicyOptions):
    """``window`` tokens are averaged; at least ``stay`` tokens are written between two switches. ``threshold`` in nats
    over the ``top_logprobs`` most probable tokens and the rest as one more; ``large_threshold`` is for entropies of the
    large model, which are not comparable with the small one's (None: the same). The paper publishes the window; the
    other defaults are Tandem's, and the threshold is what trades cost for quality."""

    threshold: float = Field(default=0.5, ge=0)
    large_threshold: float | None = Field(default=None, ge=0)
    window: int = Field(default=5, ge=1)
    stay: int = Field(default=10, ge=1)
    top_logprobs: int = Field(default=20, ge=2, le=100)


class Entropy:
    name = "entropy"
    level = "token"
    Options = EntropyOptions
    reserve = 0

    def __init__(self, options: EntropyOptions, resources: Resources) -> None:
        self._options = options

    async def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        state, reason = _State(self._options), "it begins"
        for written in desk.written:
            reason = state.add(desk.author(written), written.entropy)
        while True:
            role = state.writer
            async with aclosing(desk.propose(role, Call(top_logprobs=self._options.top_logprobs))) as proposals:
                async for proposal in proposals:
                    yield Keep(role, (proposal,), reason)
                    reason = state.add(role, proposal.entropy)
                    if state.writer != role:
                        break


class _State:
    """Who writes the next token, after the tokens and entropies so far."""

    def __init__(self, options: EntropyOptions) -> None:
        self.writer: Role = "small"
        self._options = options
        self._window: deque[float] = deque(maxlen=options.window)
        self._stayed = 0

    def add(self, role: Role, entropy: float | None) -> str:
        """Take a token into account; the reason for a hand-over if there is one."""
        self._stayed += 1
        if entropy is not None:
            self._window.append(entropy)
        if self._stayed < self._options.stay or not self._window:
            return ""
        mean = sum(self._window) / len(self._window)
        limit = self._limit(role)
        self.writer = "large" if mean > limit else "small"
        if self.writer == role:
            return ""
        self._stayed = 0
        return f"mean entropy {mean:.2f} {'>' if mean > limit else '≤'} {limit:g} nats"

    def _limit(self, role: Role) -> float:
        own = self._options.large_threshold if role == "large" else None
        return self._options.threshold if own is None else own
