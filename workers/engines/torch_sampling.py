"""Choosing a token from a torch model's logits."""

from typing import Any

from workers.engines.protocol import Sampling


class Sampler:
    """Draws by one request's sampling; its chance is its own, so a seed repeats a whole answer."""

    def __init__(self, sampling: Sampling, device: Any) -> None:
        import torch

        self._sampling = sampling
        self._chance = torch.Generator(device=device)
        if sampling.seed is None:
            self._chance.seed()
        else:
            self._chance.manual_seed(sampling.seed)

    def choose(self, logits: Any) -> int:
        """An id from ``logits`` (vocabulary). Temperature first, then the ``top_k`` most probable, then the fewest
        whose probabilities reach ``top_p``."""
        import torch

        if self._sampling.temperature <= 0:
            return int(torch.argmax(logits))
        ranked, ids = torch.sort(logits / self._sampling.temperature, descending=True)
        if self._sampling.top_k > 0:
            ranked = ranked[: self._sampling.top_k]
        probabilities = torch.softmax(ranked, dim=-1)
        before = torch.cumsum(probabilities, dim=-1) - probabilities
        probabilities = torch.where(before < self._sampling.top_p, probabilities, 0.0)
        return int(ids[torch.multinomial(probabilities, 1, generator=self._chance)])


def log_probabilities(logits: Any, chosen: int, top: int) -> tuple[float, tuple[tuple[int, float], ...]]:
    """The natural-log probability of ``chosen`` before temperature, and the ``top`` most probable (id, logprob)."""
    import torch

    logprobs = torch.log_softmax(logits, dim=-1)
    values, ids = torch.topk(logprobs, top)
    pairs = zip(ids.tolist(), values.tolist(), strict=True)
    return float(logprobs[chosen]), tuple((int(token), float(value)) for token, value in pairs)
