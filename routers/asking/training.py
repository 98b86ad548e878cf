"""Learning what signs are worth, from questions of which it is known whether they lack something."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.signs import SIGNS, signs, weighable
from routers.acceptance.asked import folds_of
from routers.acceptance.calibration import Floats
from routers.acceptance.fitting import logistic
from routers.acceptance.training import TooFewOutcomes
from routers.asking.card import AskingCard
from routers.assessment import answer_form

_FOLDS = 10
_FEWEST = 40
# Ordinary questions are easy to have: they show what not to ask about, and together weigh this share of the others.
_ORDINARY = 0.2
# Of weights for signs of equal spread, beside a loss that is summed over questions.
_RIDGE = 40.0
_BOUNDS = (0.3, 0.35, 0.4, 0.5, 0.6)


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """``lacks`` something or not; None of an ordinary question, which does not and has no twin that does. Questions of
    one origin share a ``key``."""

    dataset: str
    key: str
    question: str
    lacks: bool | None


def train_asking(questions: Sequence[KnownQuestion], seed: int = 0) -> AskingCard:
    """Questions that are not ``weighable`` are never asked about, whatever their signs.

    ``metrics`` are of questions whose fold was not fitted on. ``auc``: how often a lacking question scores above a
    complete twin. ``caught_0.5``, ``bothered_0.5``, ``ordinary_0.5``: the shares of lacking questions, of complete
    twins and of ordinary questions that are asked about from a suspicion of 0.5 on; and so for other bounds.

    Raises ``TooFewOutcomes`` for fewer than 40 of either, and ``TrainingMissing``.
    """
    lacking = sum(one.lacks is True for one in questions)
    complete = sum(one.lacks is False for one in questions)
    if min(lacking, complete) < _FEWEST:
        raise TooFewOutcomes(
            f"{lacking} questions that lack something and {complete} like them that do not are too few to learn from: "
            f"it takes {_FEWEST} of each; give data sets that say which of their questions can be answered"
        )
    columns = np.array([signs(one.question) for one in questions])
    lacks = np.array([float(one.lacks is True) for one in questions])
    twins = lacking + complete
    ordinary = _ORDINARY * twins / max(1, len(questions) - twins)
    counts = np.array([ordinary if one.lacks is None else 1.0 for one in questions])
    folds = np.array(folds_of([one.key for one in questions], _FOLDS, seed))
    unseen = np.zeros(len(questions))
    for fold in range(_FOLDS):
        out = folds == fold
        weights, offset = _weighed(columns[~out], lacks[~out], counts[~out])
        unseen[out] = columns[out] @ weights + offset
    weights, offset = _weighed(columns, lacks, counts)
    return AskingCard(
        weights=dict(zip(SIGNS, map(float, weights), strict=True)),
        offset=offset,
        questions=dict(Counter(one.dataset for one in questions)),
        lacking=lacking,
        folds=_FOLDS,
        seed=seed,
        metrics=_metrics(questions, 0.5 * (1 + np.tanh(unseen / 2))),
    )


def _weighed(columns: Floats, lacks: Floats, counts: Floats) -> tuple[Floats, float]:
    """Weights (signs,) and offset, fitted on signs of equal spread so that the ridge treats them alike."""
    mean, spread = columns.mean(axis=0), columns.std(axis=0)
    spread[spread == 0] = 1.0
    weights, offset = logistic((columns - mean) / spread, lacks, counts, ridge=_RIDGE)
    return weights / spread, offset - float(mean @ (weights / spread))


def _metrics(questions: Sequence[KnownQuestion], probabilities: Floats) -> dict[str, float]:
    read = np.array([weighable(one.question, answer_form(one.question)) for one in questions])
    suspected = np.where(read, probabilities, 0.0)
    lacking, twins, ordinary = (
        suspected[np.array([one.lacks is kind for one in questions])] for kind in (True, False, None)
    )
    above = lacking[:, None] - twins[None, :]
    found = {"auc": float(np.mean((above > 0) + 0.5 * (above == 0)))}
    for bound in _BOUNDS:
        for name, shares in (("caught", lacking), ("bothered", twins), ("ordinary", ordinary)):
            if len(shares):
                found[f"{name}_{bound}"] = float(np.mean(shares >= bound))
    return found
