"""The win rate of a strong route over a weak one, from the question's vector alone.

RouteLLM's matrix factorisation (arXiv 2406.18665, section 4.2): the score of a model is a weighted product of its
vector and the projected question, and the win rate the sigmoid of the difference of two scores. With two fixed routes
the difference is one low-rank linear form of the question, so it is fitted as a logistic regression on the question's
main components.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from routers.estimators.constant import Averages, fit_averages
from routers.estimators.features import Features
from routers.estimators.logistic import fit_logistic, sigmoid
from routers.estimators.protocol import Fit, Predictions, State
from routers.estimators.table import Table

_COMPONENTS = 32
_RIDGE = 1.0


@dataclass(frozen=True, slots=True)
class WinRate:
    """Predicts the ``strong`` route's win rate as its success, and what is left of 1 as the ``weak`` one's: a price is
    then a threshold on the win rate. ``components`` (dimensions, c) and ``weights`` (c + 1)."""

    averages: Averages
    strong: str
    weak: str
    centre: NDArray[np.float64]
    components: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.weak, self.strong)

    def predict(self, features: Features) -> Predictions:
        inputs = np.append((features.vector - self.centre) @ self.components, 1.0)
        wins = float(sigmoid(np.asarray([inputs @ self.weights]))[0])
        known = self.averages.by_route
        return {
            self.weak: replace(known[self.weak], success=1 - wins),
            self.strong: replace(known[self.strong], success=wins),
        }

    def state(self) -> State:
        arrays = {"centre": self.centre, "components": self.components, "weights": self.weights}
        values = {**self.averages.state().values, "strong": self.strong, "weak": self.weak}
        return State("win-rate", values, {name: array.astype(np.float32) for name, array in arrays.items()})

    @classmethod
    def restored(cls, state: State) -> "WinRate":
        arrays = {name: array.astype(np.float64) for name, array in state.arrays.items()}
        return cls(Averages.restored(state), state.values["strong"], state.values["weak"], **arrays)


def fit_win_rate(strong: str, weak: str) -> Fit:
    """Learns from the questions on which the two differ; a draw says nothing about which of them to take."""

    def fit(table: Table, seed: int) -> WinRate:
        first, second = (table.success[:, table.routes.index(route)] for route in (strong, weak))
        wins = (first - second + 1) / 2
        decided = np.flatnonzero(~np.isnan(wins) & (wins != 0.5))
        vectors = table.vectors[decided].astype(np.float64)
        if len(decided) == 0:
            vectors, wins, decided = np.zeros((1, table.vectors.shape[1])), np.asarray([0.5]), np.asarray([0])
        centre = vectors.mean(axis=0)
        axes = np.linalg.svd(vectors - centre, full_matrices=False)[2][:_COMPONENTS].T
        # Components to a deviation of about one, so that the ridge means the same for any embedding.
        axes = (
            axes * np.sqrt(len(vectors)) / max(float(np.linalg.norm(vectors - centre)), 1e-9) * np.sqrt(axes.shape[1])
        )
        weights = fit_logistic((vectors - centre) @ axes, wins[decided], _RIDGE)
        return WinRate(fit_averages(table), strong, weak, centre, axes, weights)

    return fit
