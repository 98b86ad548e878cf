"""An asking card: from the signs in a question's words to how probably it lacks something."""

import math
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.signs import SIGNS, signs
from routers.acceptance.card import CardUnreadable


class AskingCard(BaseModel):
    """A logistic regression over ``agents.signs.SIGNS``. ``questions`` is how many of each data set it was made from,
    ``lacking`` how many of them lack something; ``folds`` and ``seed`` say how they were divided for the ``metrics``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: dict[str, float]
    offset: float
    questions: dict[str, int]
    lacking: int
    folds: int
    seed: int
    metrics: dict[str, float]

    def probability(self, question: str) -> float:
        """In a mixture of questions as it was trained on; elsewhere fewer lack something."""
        read = zip(SIGNS, signs(question), strict=True)
        score = self.offset + sum(self.weights[name] * value for name, value in read)
        return 0.5 * (1 + math.tanh(score / 2))


def find_asking_card(path: str = "") -> AskingCard:
    """The card at ``path``, else the one that ships. Raises ``CardUnreadable``."""
    if path:
        return _read(Path(path).expanduser())
    with resources.as_file(resources.files("routers.asking").joinpath("cards", "default.json")) as shipped:
        return _read(shipped)


def _read(path: Path) -> AskingCard:
    way_out = "make one with `tandem train asking`, or unset `asking_card` under [auto]"
    try:
        card = AskingCard.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CardUnreadable(f"the asking card {path} cannot be read: {error}; {way_out}") from error
    if set(card.weights) != set(SIGNS):
        odd = ", ".join(sorted(set(card.weights) ^ set(SIGNS)))
        raise CardUnreadable(f"the asking card {path} is of other signs than are read here ({odd}); {way_out}")
    return card
