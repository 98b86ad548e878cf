"""``divergence``: the large model writes the tokens at which the small one would leave its path.

R2R (Fu et al., "R2R: Efficiently Navigating Divergent Reasoning Paths with Small-Large Model Token Routing", arXiv
2505.21600), inference: a trained head sees every token that the small model proposes; where it finds it divergent, the
large model writes that one token instead. Without a head for the pair, the paper's ablation judges by entropy.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import Field

from workers.collaboration.head import EntropyHead, Head, TokenFeatures
from workers.collaboration.policy import Call, Desk, Keep, PolicyOptions, Proposal, Resources


class DivergenceOptions(PolicyOptions):
    """``threshold`` is the probability of a divergence from which the large model writes; None takes the head's own,
    chosen on its validation data. ``use_head`` false takes the entropy even where a head was trained; ``even_entropy``
    (nats) is the entropy that then counts as a probability of one half."""

    threshold: float | None = Field(default=None, ge=0, le=1)
    use_head: bool = True
    even_entropy: float = Field(default=0.45, gt=0)


class Divergence:
    name = "divergence"
    level = "token"
    Options = DivergenceOptions
    reserve = 0

    def __init__(self, options: DivergenceOptions, resources: Resources) -> None:
        self._options = options
        trained = resources.head if options.use_head else None
        self._head: Head = trained or EntropyHead(options.even_entropy)
        self._threshold = self._head.threshold if options.threshold is None else options.threshold

    async def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        while True:
            probability = 0.0
            call = Call(top_logprobs=max(self._head.top_logprobs, self._options.top_logprobs))
            async with aclosing(desk.propose("small", call)) as proposals:
                async for proposal in proposals:
                    probability = self._divergent(proposal)
                    if probability >= self._threshold:
                        break
                    yield Keep("small", (proposal,), "its token is not divergent")
            reason = f"p(divergent) {probability:.2f} ≥ {self._threshold:.2f}"
            async with aclosing(desk.propose("large", Call(1, self._options.top_logprobs))) as proposals:
                async for proposal in proposals:
                    yield Keep("large", (proposal,), reason)

    def _divergent(self, proposal: Proposal) -> float:
        token = proposal.token
        if not token.top:
            return 0.0  # the end of a turn for which the engine has no token
        # As many as the head knows: more may have been asked for, to be shown.
        return self._head.divergent(TokenFeatures(token.id, token.top[: self._head.top_logprobs]))
