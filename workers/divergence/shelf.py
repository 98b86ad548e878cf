"""Where trained heads are found: the file that the settings name, else one that ships for the pair."""

from importlib import resources
from pathlib import Path

from workers.divergence.trained_head import HeadUnreadable, TrainedHead


def shipped_name(small: str, large: str) -> str:
    """The file name of the head of a pair, by the sha256 of its models."""
    return f"{small[:12]}-{large[:12]}.npz"


class HeadShelf:
    """Keeps what it has read. One for a process."""

    def __init__(self) -> None:
        self._heads: dict[tuple[str, str, str], TrainedHead | None] = {}

    def find(self, small: str, large: str, path: str = "") -> TrainedHead | None:
        """The head for two models named by the sha256 of their files: the one at ``path`` if that is set, else one that
        ships; None where there is none, or where a model's sha256 is not known.

        Raises ``HeadUnreadable`` for a ``path`` without a head, with one that was trained for another pair, or for a
        pair that cannot be told from others because a sha256 is not known.
        """
        key = (small, large, path)
        if key not in self._heads:
            self._heads[key] = self._configured(small, large, Path(path)) if path else _shipped(small, large)
        return self._heads[key]

    def _configured(self, small: str, large: str, path: Path) -> TrainedHead:
        head = TrainedHead.load(path.expanduser())
        if not small or not large:
            raise HeadUnreadable(
                f"the head {path} cannot be told to be of this pair: its models have sha256 {small or 'unknown'} and "
                f"{large or 'unknown'}; set `sha256` of both under [models.NAME] or unset `head` under [collaboration]"
            )
        if (small, large) != (head.card.small, head.card.large):
            raise HeadUnreadable(
                f"the head {path} was trained for the models with sha256 {head.card.small} and {head.card.large}, not "
                f"for {small} and {large}; train one with `tandem train divergence` or unset "
                "`head` under [collaboration]"
            )
        return head


def _shipped(small: str, large: str) -> TrainedHead | None:
    if not small or not large:
        return None
    found = resources.files("workers.divergence").joinpath("heads", shipped_name(small, large))
    with resources.as_file(found) as path:
        if not path.is_file():
            return None
        head = TrainedHead.load(path)
    return head if (head.card.small, head.card.large) == (small, large) else None
