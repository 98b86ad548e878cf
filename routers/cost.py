"""What tokens cost: weighted by the parameters of the model that read or wrote them."""

from collections.abc import Mapping

from workers.usage import Usage

_PROMPT_WEIGHT = 0.1


def weigh(usage: Usage, parameters: float) -> float:
    """Parameter-weighted tokens of one model; ``parameters`` in billions."""
    return (usage.prompt * _PROMPT_WEIGHT + usage.completion) * parameters


def weigh_all(tokens: Mapping[str, Usage], parameters: Mapping[str, float]) -> float:
    """Parameter-weighted tokens of several models, by their names: Σ (prompt · 0.1 + completion) · billions."""
    return sum(weigh(usage, parameters[model]) for model, usage in tokens.items())
