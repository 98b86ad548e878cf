"""The length heuristic: longer questions with more numbers in them are harder."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routers.estimators.features import Features
from routers.estimators.inputs import lengths
from routers.estimators.logistic import Scale, fit_logistic, fit_ridge, scale_of, sigmoid
from routers.estimators.protocol import Prediction, Predictions, State
from routers.estimators.table import Table

_RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class ByLength:
    """Per route a logistic regression for success and a linear one for tokens and cost, on the logarithms of words and
    of numbers. Weights have shape (routes, 3)."""

    names: tuple[str, ...]
    scale: Scale
    success: NDArray[np.float64]
    tokens: NDArray[np.float64]
    cost: NDArray[np.float64]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.names

    def predict(self, features: Features) -> Predictions:
        row = np.append(self.scale.apply(np.asarray([lengths(features.text)]))[0], 1.0)
        success = sigmoid(self.success @ row)
        rows = zip(self.names, success, self.tokens @ row, self.cost @ row, strict=True)
        return {name: Prediction(float(s), max(0.0, float(t)), max(0.0, float(c))) for name, s, t, c in rows}

    def state(self) -> State:
        arrays = {"mean": self.scale.mean, "deviation": self.scale.deviation}
        arrays |= {"success": self.success, "tokens": self.tokens, "cost": self.cost}
        return State("length", {"routes": list(self.names)}, {n: a.astype(np.float32) for n, a in arrays.items()})

    @classmethod
    def restored(cls, state: State) -> "ByLength":
        arrays = {name: array.astype(np.float64) for name, array in state.arrays.items()}
        scale = Scale(arrays["mean"], arrays["deviation"])
        return cls(tuple(state.values["routes"]), scale, arrays["success"], arrays["tokens"], arrays["cost"])


def fit_length(table: Table, seed: int = 0) -> ByLength:
    inputs = np.asarray([lengths(text) for text in table.texts])
    scale = scale_of(inputs)
    scaled = scale.apply(inputs)
    fitted: list[list[NDArray[np.float64]]] = [[], [], []]
    for column in range(len(table.routes)):
        tried = ~np.isnan(table.success[:, column])
        fitted[0].append(fit_logistic(scaled[tried], table.success[tried, column], _RIDGE))
        fitted[1].append(fit_ridge(scaled[tried], table.tokens[tried, column], _RIDGE))
        fitted[2].append(fit_ridge(scaled[tried], table.cost[tried, column], _RIDGE))
    success, tokens, cost = (np.stack(weights) for weights in fitted)
    return ByLength(table.routes, scale, success, tokens, cost)
