"""What can be said of answers' probabilities under these settings, for `tandem doctor`."""

from orchestrator.settings import Settings
from routers.acceptance.card import AcceptanceCard, CardUnreadable
from routers.acceptance.shelf import find_card


def configured_card(settings: Settings) -> AcceptanceCard | None:
    """The card that serves the configured pair; None where there is none. Raises ``CardUnreadable``."""
    small, large = (settings.models[settings.named(role)].sha256 for role in ("small", "large"))
    return find_card(small, large, settings.acceptance.card)


def acceptance_state(settings: Settings) -> tuple[bool, str]:
    """Whether nothing is wrong, and one sentence."""
    try:
        card = configured_card(settings)
    except CardUnreadable as error:
        return False, str(error)
    if card is not None:
        forms = ", ".join(f"{count} of form {form}" for form, count in card.questions.items())
        return True, f"probabilities of answers rest on known questions: {forms}"
    if settings.acceptance.decides:
        return False, (
            "`decides` under [acceptance] has no effect, since nothing was learned about this pair of models; collect "
            "outcomes with `tandem bench collect`, learn from them with `tandem train acceptance` and set `card`"
        )
    return True, "nothing was learned about this pair of models; the ladder's thresholds decide"
