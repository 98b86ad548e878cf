"""What judges a small model's token for the policy ``divergence``."""

from dataclasses import dataclass
from typing import Protocol

from workers.collaboration.entropy import entropy_from_below


@dataclass(frozen=True, slots=True)
class TokenFeatures:
    """What is known of a token that the small model proposes. ``top`` holds (id, natural-log probability) pairs, most
    probable first."""

    id: int
    top: tuple[tuple[int, float], ...]

    @property
    def entropy(self) -> float:
        """In nats, estimated from below from ``top``."""
        return entropy_from_below(self.top)


class Head(Protocol):
    """A classifier of tokens, trained for one pair of models."""

    @property
    def top_logprobs(self) -> int:
        """How many of the most probable tokens it wants to see, no more and, where the engine has them, no fewer."""
        ...

    @property
    def threshold(self) -> float:
        """The probability from which the large model writes instead, as it was chosen on validation data."""
        ...

    def divergent(self, features: TokenFeatures) -> float:
        """The probability that the large model would take the text elsewhere here."""
        ...


class EntropyHead:
    """No training: the higher the small model's entropy, the likelier a divergence. The ablation in "R2R: Efficiently
    Navigating Divergent Reasoning Paths with Small-Large Model Token Routing" (arXiv 2505.21600), whose code switches
    at 0.45 nats: that entropy is a probability of one half here."""

    top_logprobs = 20
    threshold = 0.5

    def __init__(self, even: float = 0.45) -> None:
        self._even = even

    def divergent(self, features: TokenFeatures) -> float:
        return features.entropy / (features.entropy + self._even)
