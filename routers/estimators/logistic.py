"""Logistic and linear regression with a ridge, by Newton's method: small enough to need no library for training."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEPS = 30
_TINY = 1e-6

Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scale:
    """Means and deviations of columns, for inputs of mean 0 and deviation 1."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def apply(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled: NDArray[np.float64] = (inputs - self.mean) / self.deviation
        return scaled


def scale_of(inputs: NDArray[np.float64]) -> Scale:
    return Scale(inputs.mean(axis=0), inputs.std(axis=0) + _TINY)


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without overflow on either side."""
    small = np.exp(-np.abs(logits))
    shares: NDArray[np.float64] = np.where(logits >= 0, 1.0, small) / (1.0 + small)
    return shares


def fit_logistic(inputs: NDArray[np.float64], targets: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """Weights (columns + 1), the last being the bias, which the ridge leaves alone. ``targets`` between 0 and 1."""
    columns = np.column_stack([inputs, np.ones(len(inputs))])
    penalty = np.diag([*np.full(inputs.shape[1], ridge), _TINY])
    weights = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        predicted = sigmoid(columns @ weights)
        gradient = columns.T @ (predicted - targets) + penalty @ weights
        curvature = (columns * (predicted * (1 - predicted) + _TINY)[:, None]).T @ columns + penalty
        step = np.linalg.solve(curvature, gradient)
        # A full step may overshoot where the classes are separable.
        weights -= step * min(1.0, 5.0 / (float(np.abs(step).max()) + _TINY))
        if np.abs(step).max() < 1e-8:
            break
    return weights


def fit_ridge(inputs: NDArray[np.float64], targets: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """Weights (columns + 1) of the linear regression, the last being the bias."""
    columns = np.column_stack([inputs, np.ones(len(inputs))])
    penalty = np.diag([*np.full(inputs.shape[1], ridge), _TINY])
    weights: NDArray[np.float64] = np.linalg.solve(columns.T @ columns + penalty, columns.T @ targets)
    return weights
