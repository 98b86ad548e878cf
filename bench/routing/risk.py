"""How well a confidence tells right answers from wrong ones: calibration, and coverage at a risk."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from bench.routing.frontier import Floats, Interval, Resampled, interval
from routers.acceptance.calibration import calibration_floor, expected_calibration_error

_STEPS = 40


class Calibration(BaseModel):
    """Of ``attempts`` pooled, cross-fitted predictions, in equal-mass bins; ``floor`` is what a perfect estimator shows
    on so many by chance. ``bins``: (mean prediction, observed share, number)."""

    model_config = ConfigDict(frozen=True)

    attempts: int
    questions: int
    ece: float
    ci95: Interval
    floor: float
    bins: list[tuple[float, float, int]]


class RiskCurve(BaseModel):
    """``coverage_at`` the aim's risk: the largest share of questions that can be answered with no more errors among the
    answers than that, most confident first, in hindsight. ``curve``: (coverage, error among answered)."""

    model_config = ConfigDict(frozen=True)

    system: str
    n: int
    risk: float
    coverage_at: float
    ci95: Interval
    curve: list[tuple[float, float]]


def calibration(probabilities: Floats, right: Floats, keys: Sequence[str], seed: int, draws: int = 400) -> Calibration:
    """``keys``: the question of each attempt; an interval draws whole questions."""
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    chance = np.random.default_rng(seed)
    names = sorted(groups)
    errors = [0.0]
    for _ in range(draws):
        drawn = np.concatenate([groups[names[i]] for i in chance.integers(0, len(names), len(names))])
        errors.append(expected_calibration_error(probabilities[drawn], right[drawn]))
    parts = np.array_split(np.argsort(probabilities, kind="stable"), 10)
    return Calibration(
        attempts=len(right),
        questions=len(names),
        ece=expected_calibration_error(probabilities, right),
        ci95=interval(np.array(errors)),
        floor=calibration_floor(probabilities, seed),
        bins=[(float(probabilities[p].mean()), float(right[p].mean()), len(p)) for p in parts],
    )


def coverages(confidence: Floats, right: Floats, resampled: Resampled, risk: float) -> Floats:
    """The coverage at ``risk`` in every draw."""
    order = np.argsort(-confidence, kind="stable")
    weights = resampled.weights[:, order]
    answered = np.cumsum(weights, axis=1)
    wrong = np.cumsum(weights * (1 - right[order]), axis=1)
    # Answers of equal confidence are given together or not at all.
    last = np.append(confidence[order][:-1] != confidence[order][1:], True)
    fine = (wrong <= risk * answered) & last & (answered > 0)
    found: Floats = np.where(fine, answered, 0.0).max(axis=1) / answered[:, -1]
    return found


def risk_curve(system: str, confidence: Floats, right: Floats, resampled: Resampled, risk: float) -> RiskCurve:
    covered = coverages(confidence, right, resampled, risk)
    order = np.argsort(-confidence, kind="stable")
    errors = np.cumsum(1 - right[order]) / np.arange(1, len(order) + 1)
    places = np.unique(np.linspace(1, len(order), _STEPS).astype(int)) - 1
    return RiskCurve(
        system=system,
        n=len(right),
        risk=risk,
        coverage_at=float(covered[0]),
        ci95=interval(covered),
        curve=[((place + 1) / len(order), float(errors[place])) for place in places],
    )
