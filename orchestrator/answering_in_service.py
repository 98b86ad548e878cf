"""What serves requests with a risk, for those who learn from outcomes which of its answers are sure enough."""

from orchestrator.offers import Offers
from orchestrator.settings import Settings
from orchestrator.strategies import build_strategies
from routers.acceptance.answering import Answering
from routers.route import Effort


def answering_of(settings: Settings, effort: Effort = "medium") -> Answering:
    """Whatever card the settings name: it may be the one that is about to be made."""
    unset = settings.model_copy(update={"acceptance": settings.acceptance.model_copy(update={"card": ""})})
    return Offers(unset, tuple(build_strategies(unset))).answering(effort)
