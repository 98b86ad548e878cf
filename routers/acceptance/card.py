"""What is served: everything that was learned for one pair of models, as one small JSON file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.problem import AnswerForm
from routers.acceptance.attempt import Attempt, Camp
from routers.acceptance.calibration import Calibration
from routers.acceptance.features import RouteScale, names, vector


class CardUnreadable(Exception):
    """The file holds no usable acceptance card; the message says what is wrong and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measured(_Part):
    """What a route came to on ``n`` questions of a ``form``: how many were ``right``, the mean ``tokens`` written and
    the mean ``cost`` relative to the large model's ``cot``, prompts included."""

    route: str
    form: AnswerForm
    n: int
    right: int
    tokens: float
    cost: float

    @property
    def success(self) -> float:
        return self.right / self.n


class Gain(_Part):
    """How much the chance of a right answer grew on ``n`` questions when ``route`` came after the attempts ``after``
    (routes; empty: after any), by the probability that was had before: straight lines between the points."""

    after: tuple[str, ...]
    route: str
    n: int
    before: tuple[float, ...] = Field(min_length=1)
    gain: tuple[float, ...] = Field(min_length=1)

    def at(self, probability: float) -> float:
        """Never more than what is missing to certainty."""
        return min(float(np.interp(probability, self.before, self.gain)), 1 - probability)


class RiskPoint(_Part):
    """On ``answered`` of ``n`` held-out questions of a ``form`` the probability reached ``threshold``; ``wrong`` of
    these were wrong, which keeps the error below ``risk`` with 95 % confidence. One form's errors say nothing of
    another's."""

    form: AnswerForm
    risk: float
    threshold: float
    answered: int
    wrong: int
    n: int


class AcceptanceCard(_Part):
    """``small`` and ``large``: sha256 of the models' files. ``questions``: of each form in the data. ``ladder``: routes
    that could follow one another for ``risks``, which are sorted by form and risk. ``metrics`` are of cross-fitted
    predictions."""

    small: str
    large: str
    created: str
    data: str
    seed: int
    questions: dict[AnswerForm, int]
    families: dict[str, int]
    routes: tuple[str, ...] = Field(min_length=1)
    scales: dict[str, RouteScale]
    weights: tuple[float, ...]
    bias: float
    calibration: Calibration
    measured: tuple[Measured, ...]
    gains: tuple[Gain, ...]
    ladder: tuple[str, ...]
    risks: tuple[RiskPoint, ...]
    metrics: dict[str, float]

    @model_validator(mode="after")
    def _one_weight_a_column(self) -> "AcceptanceCard":
        if len(self.weights) != len(names(self.routes)):
            raise ValueError(f"{len(names(self.routes))} weights expected, got {len(self.weights)}")
        return self

    def probability(self, attempts: Sequence[Attempt], camp: Camp, form: AnswerForm) -> float:
        """That the answer of ``camp`` is right, given every attempt so far."""
        columns = vector(attempts, camp, form, self.routes, self.scales)
        return self.calibration.probability(float(columns @ np.asarray(self.weights)) + self.bias)

    def gain(self, after: Sequence[str], route: str) -> Gain | None:
        """The gain measured after just these attempts, else the one after any; None where neither is known."""
        wanted = tuple(sorted(after))
        found = {gain.after: gain for gain in self.gains if gain.route == route}
        return found.get(wanted) or found.get(())

    def of(self, route: str, form: AnswerForm) -> Measured | None:
        return next((one for one in self.measured if (one.route, one.form) == (route, form)), None)

    def points(self, most: float) -> dict[AnswerForm, RiskPoint]:
        """For each form the point with the highest risk that is not above ``most``; none of a form where the data vouch
        for nothing so low."""
        return {point.form: point for point in self.risks if point.risk <= most + 1e-9}


def load_card(path: Path) -> AcceptanceCard:
    """Raises ``CardUnreadable``."""
    try:
        return AcceptanceCard.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CardUnreadable(
            f"the acceptance card {path} cannot be read: {error}; make one with `tandem train acceptance`"
        ) from error
