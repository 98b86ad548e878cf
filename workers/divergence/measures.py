"""How well probabilities tell divergent tokens from the others."""

import numpy as np
from numpy.typing import NDArray


def auc(probabilities: NDArray[np.float32], divergent: NDArray[np.float32]) -> float:
    """The chance that a divergent token has the higher probability than another one; ties count half."""
    order = np.argsort(probabilities, kind="stable")
    ranked = probabilities[order]
    _, first, counts = np.unique(ranked, return_index=True, return_counts=True)
    ranks = np.repeat(first + (counts + 1) / 2, counts)
    positive = divergent[order] > 0
    yes, no = int(positive.sum()), int((~positive).sum())
    if not yes or not no:
        return float("nan")
    return float((ranks[positive].sum() - yes * (yes + 1) / 2) / (yes * no))


def threshold_for_recall(probabilities: NDArray[np.float32], divergent: NDArray[np.float32], recall: float) -> float:
    """The highest threshold at which at least ``recall`` of the divergent tokens are found."""
    found = np.sort(probabilities[divergent > 0])[::-1]
    if not len(found):
        return 0.5
    return float(found[min(len(found), int(np.ceil(recall * len(found)))) - 1])


def threshold_for_share(probabilities: NDArray[np.float32], share: float) -> float:
    """The threshold at which about ``share`` of all tokens go to the large model."""
    return float(np.quantile(probabilities, 1.0 - share))


def recall_precision_share(chosen: NDArray[np.bool_], divergent: NDArray[np.float32]) -> tuple[float, float, float]:
    """Of the divergent tokens how many were ``chosen``, of the chosen ones how many are divergent, and of all tokens
    how many were chosen."""
    hits = float((chosen & (divergent > 0)).sum())
    return hits / max(1.0, float(divergent.sum())), hits / max(1.0, float(chosen.sum())), float(chosen.mean())
