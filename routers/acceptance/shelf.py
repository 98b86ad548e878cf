"""Where acceptance cards are found: the file that the settings name, else one that ships for the pair."""

from importlib import resources
from pathlib import Path

from routers.acceptance.card import AcceptanceCard, CardUnreadable, load_card


def shipped_name(small: str, large: str) -> str:
    """The file name of the card of a pair, by the sha256 of its models."""
    return f"{small[:12]}-{large[:12]}.json"


def find_card(small: str, large: str, path: str = "") -> AcceptanceCard | None:
    """The card for two models named by the sha256 of their files: the one at ``path`` if that is set, else one that
    ships; None where there is none, or where a model's sha256 is not known.

    Raises ``CardUnreadable`` for a ``path`` without a card, or with one that was trained for another pair.
    """
    if not path:
        return _shipped(small, large)
    card = load_card(Path(path).expanduser())
    if (small, large) != (card.small, card.large):
        raise CardUnreadable(
            f"the acceptance card {path} was trained for the models with sha256 {card.small} and {card.large}, not for "
            f"{small or 'unknown'} and {large or 'unknown'}; train one with `tandem train acceptance`, or unset `card` "
            "under [acceptance]"
        )
    return card


def _shipped(small: str, large: str) -> AcceptanceCard | None:
    if not small or not large:
        return None
    found = resources.files("routers.acceptance").joinpath("cards", shipped_name(small, large))
    with resources.as_file(found) as path:
        if not path.is_file():
            return None
        card = load_card(path)
    return card if (card.small, card.large) == (small, large) else None
