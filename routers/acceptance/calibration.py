"""From a score to a probability: isotonic regression or Platt's sigmoid, and how far off the result is."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float64]


class Sigmoid(BaseModel):
    """Platt's calibration (Probabilistic outputs for support vector machines, section 2.2): the sigmoid of
    slope · score + offset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["platt"] = "platt"
    slope: float
    offset: float

    def probability(self, score: float) -> float:
        return sigmoid(self.slope * score + self.offset)


class Isotonic(BaseModel):
    """Steps of an isotonic regression (Zadrozny and Elkan, Transforming classifier scores), joined by straight lines
    between the middles of the steps, so that few scores share a probability. Both lists have the same length, ≥ 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["isotonic"] = "isotonic"
    scores: tuple[float, ...] = Field(min_length=1)
    probabilities: tuple[float, ...] = Field(min_length=1)

    def probability(self, score: float) -> float:
        return float(np.interp(score, self.scores, self.probabilities))


Calibration = Annotated[Sigmoid | Isotonic, Field(discriminator="kind")]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def expected_calibration_error(
    probabilities: Sequence[float] | Floats, right: Sequence[float] | Floats, bins: int = 10
) -> float:
    """Over ``bins`` bins of equal mass, the mean distance between the predicted and the observed share, weighted by
    the number of predictions (Naeini et al., Obtaining well calibrated probabilities, section 2). 0 for no data."""
    if not len(probabilities):
        return 0.0
    predicted, observed = np.asarray(probabilities, dtype=float), np.asarray(right, dtype=float)
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [len(part) * abs(predicted[part].mean() - observed[part].mean()) for part in parts]
    return float(sum(gaps) / len(order))


def calibration_floor(probabilities: Sequence[float] | Floats, seed: int = 0, draws: int = 200) -> float:
    """The expected calibration error that a perfectly calibrated estimator shows on so many predictions by chance."""
    chance = np.random.default_rng(seed)
    predicted = np.asarray(probabilities, dtype=float)
    errors = [
        expected_calibration_error(predicted, (chance.random(len(predicted)) < predicted).astype(float))
        for _ in range(draws)
    ]
    return float(np.mean(errors))
