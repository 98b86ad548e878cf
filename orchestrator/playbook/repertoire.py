"""Which recipes can be served, which strategies one may be proposed of, and which of those can cost less than what the
service does anyway."""

from collections.abc import Collection, Iterable, Mapping

from agents.collaborative import collaborative_names
from agents.voting import leads_for_good
from orchestrator.offers import Offers
from orchestrator.playbook.entry import Recipe
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.settings_strategies import StrategySettings
from routers.assessment import assess
from workers.collaboration.policies import policy_options
from workers.collaboration.protocol import UnknownPolicy

_PAIRS = frozenset(collaborative_names())
_UNFIT = frozenset({"code", "tools"})
"""Strategies that need more than a question: a stub, or tools."""


def fits(recipe: Recipe, strategies: Collection[str]) -> bool:
    """Whether an attempt can be made with it: a recipe may come from another server, or from before an update."""
    if recipe.strategy not in strategies or recipe.strategy in _UNFIT:
        return False
    if recipe.strategy in _PAIRS:
        # Two engines write together: nothing that is put before a model's question gets there.
        return len(set(recipe.models)) == len(recipe.models) == 2 and not recipe.in_prompts and _are_options(recipe)
    return len(recipe.models) <= (2 if recipe.strategy == "consensus" else 1) and not recipe.options


def _are_options(recipe: Recipe) -> bool:
    try:
        policy_options(recipe.strategy, recipe.options)
    except UnknownPolicy:
        return False
    return True


def proposable(strategies: Iterable[str]) -> frozenset[str]:
    """The strategies that a proposed recipe may name: two engines side by side are not proposed."""
    return frozenset(strategies) - _UNFIT - _PAIRS


class Repertoire:
    """``names`` are the strategies that a proposed recipe may name."""

    def __init__(self, settings: Settings, strategies: Iterable[str], offers: Offers) -> None:
        self._offers = offers
        self._roles = {settings.named("large"): "large", settings.named("small"): "small"}
        self.names = proposable(strategies)
        self._draws = _fewest_draws(settings.strategies)
        self._size = {
            role: settings.models[settings.named("small" if role == "small" else "large")].parameters
            for role in ("small", "large")
        }

    def default_of(self, request: RunRequest) -> Recipe:
        """The route that such a request takes first without a playbook."""
        decision = self._offers.policy(request).first(assess(request.messages), self._offers.effort(request))
        models = tuple(self._roles.get(model, model) for model in decision.route.models)
        return Recipe(strategy=decision.route.strategy, models=models)

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
