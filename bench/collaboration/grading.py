"""What a policy's grades of its steps say about the answers."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from bench.collaboration.traces import Trace
from workers.divergence.measures import auc

_GRADES = range(10)


class _Graded(Protocol):
    @property
    def trace(self) -> Trace: ...

    @property
    def correct(self) -> bool: ...


def grading(answers: Sequence[_Graded]) -> dict[str, float]:
    """The share of every grade among all steps, and how well an answer's mean and its lowest grade tell right answers
    from wrong ones (AUC; left out where all are right or all are wrong). Nothing for a policy that does not grade."""
    graded = [answer for answer in answers if answer.trace.grades]
    given = [round(grade) for answer in graded for grade in answer.trace.grades]
    if not given:
        return {}
    figures: dict[str, float] = {f"grade_{grade}": given.count(grade) / len(given) for grade in _GRADES}
    right = np.asarray([answer.correct for answer in graded], dtype=np.float32)
    if 0 < right.sum() < len(right):
        for name, of in (("mean", np.mean), ("lowest", np.min)):
            told = np.asarray([of(answer.trace.grades) for answer in graded], dtype=np.float32)
            figures[f"grade_auc_{name}"] = auc(told, right)
    return figures
