"""A judge card: from a judging model's score to the probability that the answer is right."""

import math
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from routers.acceptance.calibration import Calibration
from routers.acceptance.card import CardUnreadable

_SMALLEST = 1e-6


class JudgeCard(BaseModel):
    """``judge`` is the sha256 of the judging model's file, ``answers`` how many of each data set it judged, ``right``
    the share of them that were right. ``metrics`` are those of the scores as they are and, with ``calibrated_``, of
    probabilities on questions that they were not fitted on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judge: str
    calibration: Calibration
    answers: dict[str, int]
    right: float
    seed: int
    metrics: dict[str, float]

    def probability(self, score: float) -> float:
        """That an answer with this ``score`` (0 to 1) is right."""
        return self.calibration.probability(log_odds(score))


def log_odds(score: float) -> float:
    """Of a probability, which is kept a little away from 0 and 1."""
    kept = min(1 - _SMALLEST, max(_SMALLEST, score))
    return math.log(kept / (1 - kept))


def load_judge_card(path: Path, judge: str) -> JudgeCard:
    """Raises ``CardUnreadable`` for a file that is no card, or the card of another model than ``judge``."""
    try:
        card = JudgeCard.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CardUnreadable(
            f"the judge card {path} cannot be read: {error}; make one with `tandem train judge`"
        ) from error
    if card.judge != judge:
        raise CardUnreadable(
            f"the judge card {path} is of the model with sha256 {card.judge}, not of {judge or 'an unknown one'}; make "
            "one with `tandem train judge`, or unset `judge_card` under [strategies]"
        )
    return card
