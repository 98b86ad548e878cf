"""Fitting the logistic regression and its calibration. scipy is an extra (``bench``) that is imported where needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from agents.problem import AnswerForm
from routers.acceptance.asked import Asked, folds_of
from routers.acceptance.attempt import Attempt, Camp
from routers.acceptance.calibration import Calibration, Floats, Isotonic, Sigmoid
from routers.acceptance.cases import Cases, cases_of
from routers.acceptance.features import RouteScale, scales_of, vector

_INNER_FOLDS = 4
# In units of one question's weight: what a coefficient of 1 costs.
_RIDGE = 0.3
_SMALLEST = 1e-4


class TrainingMissing(Exception):
    """scipy is not installed; the message ends with the command that installs it."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """``weights`` has shape (features,)."""

    routes: tuple[str, ...]
    scales: dict[str, RouteScale]
    weights: Floats
    bias: float
    calibration: Calibration

    def probability(self, attempts: Sequence[Attempt], camp: Camp, form: AnswerForm) -> float:
        """As an ``AcceptanceCard`` gives it."""
        columns = vector(attempts, camp, form, self.routes, self.scales)
        return self.calibration.probability(float(columns @ self.weights) + self.bias)

    def probabilities(self, cases: Cases) -> Floats:
        return calibrated(self.calibration, cases.columns @ self.weights + self.bias)


def fit(asked: Sequence[Asked], routes: Sequence[str], seed: int) -> Fitted:
    """Logistic regression on all of ``asked``; its scores are calibrated where folds by split key did not see them, by
    whichever of the two calibrations loses less on held-out scores. Raises ``TrainingMissing``."""
    scales = scales_of([attempt for one in asked for attempt in one.attempts], routes)
    cases = cases_of(asked, routes, scales, seed)
    folds = np.array(folds_of(cases.keys, _INNER_FOLDS, seed))
    unseen = np.zeros(len(cases.right))
    for fold in range(_INNER_FOLDS):
        out = folds == fold
        weights, bias = logistic(cases.columns[~out], cases.right[~out], cases.weights[~out])
        unseen[out] = cases.columns[out] @ weights + bias
    weights, bias = logistic(cases.columns, cases.right, cases.weights)
    return Fitted(tuple(routes), scales, weights, bias, calibration_of(unseen, cases.right, cases.weights, folds))


def logistic(columns: Floats, right: Floats, weights: Floats, ridge: float = _RIDGE) -> tuple[Floats, float]:
    """Coefficients (features,) and the offset that minimise the weighted log loss plus a ``ridge`` on the coefficients.
    Raises ``TrainingMissing``."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise TrainingMissing("training needs scipy: pip install -e '.[bench]'") from error

    def loss(theta: Floats) -> tuple[float, Floats]:
        score = columns @ theta[:-1] + theta[-1]
        # log(1 + e^s) − y·s, which does not overflow
        value = float(weights @ (np.logaddexp(0, score) - right * score)) + ridge / 2 * float(theta[:-1] @ theta[:-1])
        error = weights * (0.5 * (1 + np.tanh(score / 2)) - right)
        return value, np.append(columns.T @ error + ridge * theta[:-1], error.sum())

    found = minimize(loss, np.zeros(columns.shape[1] + 1), jac=True, method="L-BFGS-B")
    return np.asarray(found.x[:-1]), float(found.x[-1])


def calibrated(calibration: Calibration, scores: Floats) -> Floats:
    if isinstance(calibration, Isotonic):
        return np.interp(scores, calibration.scores, calibration.probabilities)
    return 0.5 * (1 + np.tanh((calibration.slope * scores + calibration.offset) / 2))


def log_loss(probabilities: Floats, right: Floats, weights: Floats) -> float:
    """Weighted mean natural-log loss; probabilities are kept a little away from 0 and 1."""
    kept = np.clip(probabilities, _SMALLEST, 1 - _SMALLEST)
    return float(-(weights @ (right * np.log(kept) + (1 - right) * np.log(1 - kept))) / weights.sum())


def calibration_of(scores: Floats, right: Floats, weights: Floats, folds: np.ndarray) -> Calibration:
    """Platt's or an isotonic one, whichever says more of the half of the ``folds`` that it was not fitted on."""
    out = folds % 2 == 0
    losses = []
    for make in (platt, isotonic):
        loss = 0.0
        for test in (out, ~out):
            made = make(scores[~test], right[~test], weights[~test])
            loss += log_loss(calibrated(made, scores[test]), right[test], weights[test])
        losses.append(loss)
    chosen = platt if losses[0] <= losses[1] else isotonic
    return chosen(scores, right, weights)


def platt(scores: Floats, right: Floats, weights: Floats) -> Calibration:
    slope, offset = logistic(scores[:, None], right, weights)
    return Sigmoid(slope=float(slope[0]), offset=offset)


def isotonic(scores: Floats, right: Floats, weights: Floats) -> Calibration:
    from scipy.optimize import isotonic_regression

    order = np.argsort(scores, kind="stable")
    result = isotonic_regression(right[order], weights=weights[order])
    ends = result.blocks
    middles, levels = [], []
    for start, end in pairwise(ends):
        part = order[start:end]
        middles.append(float(np.average(scores[part], weights=weights[part])))
        levels.append(float(result.x[start]))
    return Isotonic(scores=tuple(middles), probabilities=tuple(levels))
