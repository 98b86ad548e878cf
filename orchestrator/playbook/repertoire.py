"""Which strategies a recipe may name, and which of them can cost less than what the service does anyway."""

from collections.abc import Iterable, Mapping

from agents.collaborative import collaborative_names
from agents.voting import leads_for_good
from orchestrator.playbook.entry import Recipe
from orchestrator.settings import Settings, StrategySettings

_UNFIT = frozenset({"code", "tools", *collaborative_names()})
"""Strategies that need more than a question: a stub, tools, or two engines side by side."""


class Repertoire:
    """``names`` are the strategies that a recipe may name."""

    def __init__(self, settings: Settings, strategies: Iterable[str]) -> None:
        self.names = frozenset(strategies) - _UNFIT
        self._draws = _fewest_draws(settings.strategies)
        self._size = {
            role: settings.models[settings.named("small" if role == "small" else "large")].parameters
            for role in ("small", "large")
        }

    def may_save(self, recipe: Recipe) -> bool:
        """Whether it can cost less than one answer of the large model, from what is known beforehand: how often its
        strategy draws, and how large its model is. What cannot would be cut off, and given up after a few trials."""
        size = self._size.get(recipe.models[0], self._size["large"])
        return self._draws.get(recipe.strategy, 1) * size <= self._size["large"]


def _fewest_draws(options: StrategySettings) -> Mapping[str, int]:
    """How many whole answers a strategy draws at least; those that are not named draw one."""
    votes = options.self_consistency.n
    agreeing = (count for count in range(1, votes) if leads_for_good([count]) >= options.self_consistency.certainty)
    return {
        "consensus": 3,
        "self-consistency": next(agreeing, votes),
        "confidence": min(options.confidence.n, options.confidence.warmup),
        "short-m": options.short_m.k,
        "parallel": options.parallel.n,
        "refine": options.refine.drafts + 1,
        "logic": options.logic.n,
    }
