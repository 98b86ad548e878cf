"""Confidences of one answer a question, to be compared at the same risk, and pooled attempts for calibration."""

from dataclasses import dataclass

import numpy as np

from bench.routing.data import RoutingData
from bench.routing.frontier import Floats, Resampled, interval
from bench.routing.risk import Calibration, RiskCurve, calibration, coverages, risk_curve
from bench.routing.systems import Cards
from routers.acceptance.asked import Asked
from routers.acceptance.judgement import judge

_UNSURE = -1e9


@dataclass(frozen=True, slots=True)
class Confidence:
    """Of ``system``'s answer to each question, and whether it is right. ``baseline``: the model's own log-probability;
    ``decides``: the one that is compared with it."""

    system: str
    confidence: Floats
    right: Floats
    baseline: bool = False
    decides: bool = False

    def at(self, resampled: Resampled, risk: float) -> RiskCurve:
        return risk_curve(self.system, self.confidence, self.right, resampled, risk)


def confidences(data: RoutingData, cards: Cards) -> list[Confidence]:
    """Large ``program`` and ``cot`` by log-probability and by evidence, and both attempts together by evidence."""
    program, cot = "program(large)", "cot(large)"
    return [
        _by_logprob(data, program),
        _by_logprob(data, cot),
        _by_evidence(data, cards, (program,)),
        _by_evidence(data, cards, (cot,)),
        _by_evidence(data, cards, (program, cot), decides=True),
    ]


def pooled(data: RoutingData, cards: Cards, seed: int) -> Calibration:
    """Every single attempt at every question that may be learned from, by the card that has not seen the question."""
    probabilities: list[float] = []
    right: list[float] = []
    questions: list[str] = []
    for one in data.asked:
        card = cards.of(one)
        for index, attempt in enumerate(one.attempts):
            attempts, groups = one.view([index])
            if groups and attempt.route in card.routes:
                probabilities.append(card.probability(attempts, groups[0], one.form))
                right.append(float(one.right[index]))
                questions.append(one.split_key)
    return calibration(np.array(probabilities), np.array(right), questions, seed)


def ratio_of(own: Confidence, baseline: Confidence, resampled: Resampled, risk: float) -> tuple[float, float, float]:
    """The ratio of the two coverages at ``risk`` with its paired interval."""
    mine = coverages(own.confidence, own.right, resampled, risk)
    others = coverages(baseline.confidence, baseline.right, resampled, risk)
    # In a draw where the baseline answers nothing at that risk, one question more or less would decide the ratio.
    ratio = mine / np.maximum(others, 1 / len(own.right))
    return (float(ratio[0]), *interval(ratio))


def _by_logprob(data: RoutingData, route: str) -> Confidence:
    sure, right = [], []
    for one in data.tried:
        index = data.place(one, route)
        attempt = one.attempts[index]
        known = attempt.logprob is not None and attempt.value is not None
        sure.append(attempt.logprob if known and attempt.logprob is not None else _UNSURE)
        right.append(float(one.right[index]))
    return Confidence(f"log-probability of {route}", np.array(sure), np.array(right), baseline=True)


def _by_evidence(data: RoutingData, cards: Cards, routes: tuple[str, ...], decides: bool = False) -> Confidence:
    judged = [_judged(data, cards, one, routes) for one in data.tried]
    sure, right = zip(*judged, strict=True)
    return Confidence(f"evidence of {' and '.join(routes)}", np.array(sure), np.array(right), decides=decides)


def _judged(data: RoutingData, cards: Cards, one: Asked, routes: tuple[str, ...]) -> tuple[float, float]:
    places = [data.place(one, route) for route in routes]
    found = judge(cards.of(one), [one.attempts[index] for index in places], one.form)
    return found.probability, 0.0 if found.attempt is None else float(one.right[places[found.attempt]])
