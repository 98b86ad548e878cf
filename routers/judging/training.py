"""Calibrating a judge on answers that are known to be right or wrong."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routers.acceptance.calibration import Floats, expected_calibration_error
from routers.acceptance.fitting import calibrated, calibration_of, logistic
from routers.acceptance.training import FOLDS, TooFewOutcomes
from routers.judging.card import JudgeCard, log_odds

_FEWEST = 40


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """``score`` is the judge's probability of "yes", 0 to 1. ``model`` wrote the answer with the mean natural-log
    probability ``logprob``; ``agrees``: another model came to the same."""

    dataset: str
    question: str
    score: float
    right: bool
    model: str = ""
    logprob: float | None = None
    agrees: bool = False


def calibrate_judge(answers: Sequence[JudgedAnswer], judge: str, seed: int = 0) -> JudgeCard:
    """The card of the model with the sha256 ``judge``. ``auc_evidence`` among its metrics is how often what is known of
    an answer without a judge tells right from wrong, ``auc_evidence_and_verdict`` the same with the verdict. Raises
    ``TooFewOutcomes`` for fewer than 40 answers, or for answers that are all right or all wrong."""
    right = np.array([float(answer.right) for answer in answers])
    if len(answers) < _FEWEST or right.all() or not right.any():
        raise TooFewOutcomes(
            f"{len(answers)} judged answers, {int(right.sum())} of them right, are too few to calibrate a judge: it "
            f"takes {_FEWEST}, right ones and wrong ones; give more questions with --rows, or other data sets"
        )
    raw = np.array([answer.score for answer in answers])
    scores = np.array([log_odds(answer.score) for answer in answers])
    folds = _folds([answer.question for answer in answers], seed)
    evidence = _evidence(answers)
    both = np.column_stack([evidence, scores / (float(scores.std()) or 1.0)])
    unseen = np.zeros(len(answers))
    for fold in range(FOLDS):
        rest, weights = folds != fold, np.ones(int((folds != fold).sum()))
        unseen[~rest] = calibrated(calibration_of(scores[rest], right[rest], weights, folds[rest]), scores[~rest])
    return JudgeCard(
        judge=judge,
        calibration=calibration_of(scores, right, np.ones(len(answers)), folds),
        answers=dict(Counter(answer.dataset for answer in answers)),
        right=float(right.mean()),
        seed=seed,
        metrics={
            "auc": _auc(raw, right),
            "ece": expected_calibration_error(raw, right),
            "brier": float(np.mean((raw - right) ** 2)),
            "auc_evidence": _auc(_foretold(evidence, right, folds), right),
            "auc_evidence_and_verdict": _auc(_foretold(both, right, folds), right),
            "calibrated_ece": expected_calibration_error(unseen, right),
            "calibrated_brier": float(np.mean((unseen - right) ** 2)),
        },
    )


def _evidence(answers: Sequence[JudgedAnswer]) -> Floats:
    """What is known of answers without a judge, shape (answers, columns): who wrote it, how sure it was beside the same
    model's other answers, and whether another model agrees."""
    models = sorted({answer.model for answer in answers})
    columns = [np.array([float(answer.agrees) for answer in answers])]
    for model in models:
        wrote = np.array([answer.model == model for answer in answers])
        sure = np.array([answer.logprob or 0.0 for answer in answers])
        spread = float(sure[wrote].std()) or 1.0
        columns += [wrote.astype(float), np.where(wrote, (sure - sure[wrote].mean()) / spread, 0.0)]
    return np.column_stack(columns)


def _foretold(columns: Floats, right: Floats, folds: np.ndarray) -> Floats:
    """A logistic regression's scores of answers whose question it was not fitted on."""
    scores = np.zeros(len(right))
    for fold in range(FOLDS):
        out = folds == fold
        weights, bias = logistic(columns[~out], right[~out], np.ones(int((~out).sum())))
        scores[out] = columns[out] @ weights + bias
    return scores


def _folds(questions: Sequence[str], seed: int) -> np.ndarray:
    """All answers to a question are in one fold."""
    names = sorted(set(questions))
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = {names[place]: index % FOLDS for index, place in enumerate(order)}
    return np.array([fold_of[question] for question in questions])


def _auc(scores: Floats, right: Floats) -> float:
    """How often a right answer scores above a wrong one; ties count half."""
    above = scores[right == 1][:, None] - scores[right == 0][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))
