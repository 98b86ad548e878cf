"""Selective answering: from which probability on answers may be given, so that few of them are wrong."""

from collections.abc import Sequence

import numpy as np

from agents.problem import AnswerForm
from routers.acceptance.card import RiskPoint

_RISKS = tuple(round(0.01 * step, 2) for step in (*range(1, 11), 12, 15, 20, 25, 30, 40, 50))
_CONFIDENCE = 0.95
_STARTS = 3
# The test starts where as many answers are left that this many errors could be borne.
_BORNE = 2


def upper_bound(wrong: int, n: int, confidence: float = _CONFIDENCE) -> float:
    """The one-sided upper bound of an error rate (Clopper and Pearson, The use of confidence or fiducial limits, 1934).
    Needs scipy."""
    from scipy.stats import beta

    return 1.0 if wrong >= n else float(beta.ppf(confidence, wrong + 1, n - wrong))


def ladder_outcomes(steps: Sequence[Sequence[tuple[float, bool]]], threshold: float) -> list[bool | None]:
    """What a reader gets of each question when the first step whose probability reaches ``threshold`` is answered:
    whether it is right, None for no answer. ``steps``: for each question (probability, right) after each attempt."""
    return [next((right for p, right in step if p >= threshold), None) for step in steps]


def risk_points(steps: Sequence[Sequence[tuple[float, bool]]], form: AnswerForm) -> tuple[RiskPoint, ...]:
    """A point for each risk that can be vouched for, by rising risk; a higher risk allows what a lower one does."""
    points: list[RiskPoint] = []
    for risk in _RISKS:
        point = risk_point(steps, risk, form)
        if points and (point is None or points[-1].answered > point.answered):
            point = points[-1].model_copy(update={"risk": risk})
        if point is not None:
            points.append(point)
    return tuple(points)


def risk_point(steps: Sequence[Sequence[tuple[float, bool]]], risk: float, form: AnswerForm) -> RiskPoint | None:
    """The lowest threshold that keeps the error among answered questions below ``risk`` with 95 % confidence; None
    where so little can be vouched for.

    Thresholds are tested from the strictest down until one fails, so that many tests are as safe as one (fixed-sequence
    testing: Angelopoulos et al., Learn then Test, section 3.2), from three starts that share the error allowed. Where
    they lie depends on ``risk`` and the number of answers alone, never on which of them are right.
    """
    tops = sorted((max((p for p, _ in step), default=0.0) for step in steps), reverse=True)
    counts = _counts(_start(risk, len(tops)), len(tops))
    starts = [counts[len(counts) * part // _STARTS :] for part in range(_STARTS)]
    found = [_lowest(steps, risk, form, [tops[count - 1] for count in rest]) for rest in starts]
    return max((point for point in found if point is not None), key=lambda point: point.answered, default=None)


def _lowest(
    steps: Sequence[Sequence[tuple[float, bool]]], risk: float, form: AnswerForm, thresholds: Sequence[float]
) -> RiskPoint | None:
    """The last of ``thresholds``, from the strictest, before the first that fails."""
    found: RiskPoint | None = None
    for threshold in thresholds:
        answers = [right for right in ladder_outcomes(steps, threshold) if right is not None]
        wrong = sum(not right for right in answers)
        if threshold <= 0 or upper_bound(wrong, len(answers), 1 - (1 - _CONFIDENCE) / _STARTS) > risk:
            break
        found = RiskPoint(form=form, risk=risk, threshold=threshold, answered=len(answers), wrong=wrong, n=len(steps))
    return found


def _start(risk: float, n: int) -> int:
    """The least number of answers of which ``_BORNE`` may be wrong; more than ``n`` where there are not so many."""
    return next(
        (
            count
            for count in range(_BORNE + 1, n + 1)
            if upper_bound(_BORNE, count, 1 - (1 - _CONFIDENCE) / _STARTS) <= risk
        ),
        n + 1,
    )


def _counts(start: int, n: int) -> list[int]:
    """From ``start`` to ``n`` in twenty steps of equal size."""
    if start > n:
        return []
    return sorted({int(count) for count in np.linspace(start, n, 21)})
