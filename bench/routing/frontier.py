"""Accuracy against cost with intervals from a bootstrap over questions, paired throughout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """A system at one setting: whether each question was answered right (a share where chance decides; 0 for an
    abstention), what it cost in parameter-weighted tokens, and the ``seconds`` of the attempts it took, one after the
    other. All of shape (questions,). ``tokens`` by model of shape (questions, 3): prompt, completion, cached; the same
    models in every trial."""

    system: str
    setting: str
    right: Floats
    cost: Floats
    seconds: Floats
    tokens: Mapping[str, Floats]

    @property
    def name(self) -> str:
        return f"{self.system} {self.setting}".strip()

    def only(self, questions: NDArray[np.bool_]) -> "Trial":
        """The same on some of the questions."""
        return replace(
            self,
            right=self.right[questions],
            cost=self.cost[questions],
            seconds=self.seconds[questions],
            tokens={model: counts[questions] for model, counts in self.tokens.items()},
        )


class Resampled:
    """The same draws of whole groups of questions for every figure; groups are split keys. ``weights`` has shape
    (draws, questions): how often each question was drawn; the first row is the data itself."""

    def __init__(self, keys: Sequence[str], draws: int, seed: int) -> None:
        names, group = np.unique(np.asarray(keys), return_inverse=True)
        chance = np.random.default_rng(seed)
        counts = chance.multinomial(len(names), [1 / len(names)] * len(names), size=draws)
        self.weights = np.vstack([np.ones(len(group)), counts[:, group]]).astype(float)
        self._total = self.weights.sum(axis=1)

    def means(self, values: Floats) -> Floats:
        """Of shape (1 + draws,), the first from the data itself."""
        found: Floats = self.weights @ values / self._total
        return found


def interval(draws: Floats) -> Interval:
    """The middle 95 % of all but the first."""
    low, high = np.quantile(draws[1:], (0.025, 0.975))
    return float(low), float(high)


def hull(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The upper concave hull of (cost, accuracy), by rising cost up to the most accurate: what mixing constant routes
    at random can reach."""
    upper: list[tuple[float, float]] = []
    for cost, accuracy in sorted(points):
        if upper and accuracy <= upper[-1][1]:
            continue
        while len(upper) >= 2 and _below(upper[-2], upper[-1], (cost, accuracy)):
            upper.pop()
        upper.append((cost, accuracy))
    return upper


def line(points: Sequence[tuple[float, float]], constants: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The settings of a system by rising cost. Below the cheapest it is no system but a mix of that setting with the
    constants that are cheaper still."""
    settings = sorted(points)
    return [*(point for point in constants if point[0] < settings[0][0]), *settings]


def at_cost(points: Sequence[tuple[float, float]], cost: float) -> float:
    """The accuracy of points by rising cost, joined by lines, at ``cost``; beyond its ends that of the nearest."""
    return float(np.interp(cost, [point[0] for point in points], [point[1] for point in points]))


@dataclass(frozen=True, slots=True)
class Frontier:
    """Every draw's constants and oracle. Costs are relative to ``yardstick``, which costs 1 in every draw."""

    resampled: Resampled
    constants: tuple[Trial, ...]
    oracle: Trial
    yardstick: Trial

    def points(self, trial: Trial) -> tuple[Floats, Floats]:
        """Cost and accuracy in every draw."""
        base = self.resampled.means(self.yardstick.cost)
        return self.resampled.means(trial.cost) / base, self.resampled.means(trial.right)

    def hulls(self) -> list[list[tuple[float, float]]]:
        points = [self.points(trial) for trial in self.constants]
        draws = len(points[0][0])
        return [hull([(float(cost[d]), float(right[d])) for cost, right in points]) for d in range(draws)]

    def above(self, trial: Trial, hulls: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, Interval]:
        """Accuracy above the constants' hull at the trial's own cost."""
        cost, right = self.points(trial)
        gain = np.array([right[d] - at_cost(hulls[d], float(cost[d])) for d in range(len(cost))])
        return float(gain[0]), interval(gain)

    def along(
        self, sweep: Sequence[Trial], hulls: Sequence[Sequence[tuple[float, float]]], costs: Sequence[float]
    ) -> list[Floats]:
        """For each of ``costs`` a system's accuracy above the constants' hull, in every draw."""
        lines = self._lines(sweep, hulls)
        return [
            np.array([at_cost(line, cost) - at_cost(hull, cost) for line, hull in zip(lines, hulls, strict=True)])
            for cost in costs
        ]

    def _lines(
        self, sweep: Sequence[Trial], hulls: Sequence[Sequence[tuple[float, float]]]
    ) -> list[list[tuple[float, float]]]:
        points = [self.points(trial) for trial in sweep]
        return [
            line([(float(cost[d]), float(right[d])) for cost, right in points], hulls[d]) for d in range(len(hulls))
        ]

    def best(self) -> Trial:
        """The most accurate constant, chosen in hindsight, which flatters it."""
        return max(self.constants, key=lambda trial: float(trial.right.mean()))

    def at_best(self, sweep: Sequence[Trial]) -> tuple[Floats, Floats]:
        """What a system reaches at the best constant's cost, with its settings joined by lines (``line``): its accuracy
        above that constant, and the share of the oracle's headroom (0 where there is none), in every draw."""
        best = self.best()
        limit, base = self.points(best)
        _, ideal = self.points(self.oracle)
        lines = self._lines(sweep, self.hulls())
        gain, share = np.empty(len(limit)), np.empty(len(limit))
        for d in range(len(limit)):
            gain[d] = at_cost(lines[d], float(limit[d])) - base[d]
            share[d] = gain[d] / (ideal[d] - base[d]) if ideal[d] > base[d] else 0.0
        return gain, share


def oracle(constants: Sequence[Trial]) -> Trial:
    """The cheapest constant that is right; where none is, the cheapest."""
    right = np.array([trial.right for trial in constants])
    cost = np.array([trial.cost for trial in constants])
    chosen = np.argmin(np.where(right > 0, cost, cost + 1e12 * (right.max(axis=0) > 0)), axis=0)
    rows = np.arange(right.shape[1])
    return Trial(
        "oracle",
        f"over {len(constants)} constants",
        right[chosen, rows],
        cost[chosen, rows],
        np.array([trial.seconds for trial in constants])[chosen, rows],
        {model: np.array([trial.tokens[model] for trial in constants])[chosen, rows] for model in constants[0].tokens},
    )


def mixed(cheap: Trial, dear: Trial, share: float) -> Trial:
    """``dear`` for a random ``share`` of the questions, in expectation."""

    def expected(of_cheap: Floats, of_dear: Floats) -> Floats:
        return (1 - share) * of_cheap + share * of_dear

    return Trial(
        f"random mix of {cheap.system} and {dear.system}",
        f"{share:.0%}",
        expected(cheap.right, dear.right),
        expected(cheap.cost, dear.cost),
        expected(cheap.seconds, dear.seconds),
        {model: expected(cheap.tokens[model], dear.tokens[model]) for model in cheap.tokens},
    )


def sweeps(trials: Sequence[Trial]) -> Mapping[str, list[Trial]]:
    """Trials by system."""
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.system, []).append(trial)
    return found


def _below(left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]) -> bool:
    return (middle[1] - left[1]) * (right[0] - left[0]) <= (right[1] - left[1]) * (middle[0] - left[0])
