"""Training the head in torch, an extra (``worker``) that is imported where it is needed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.divergence.dataset import Dataset
from workers.divergence.features import TOP
from workers.divergence.measures import auc, recall_precision_share, threshold_for_recall, threshold_for_share
from workers.divergence.network import Network, exported
from workers.divergence.training_options import TrainingOptions

_FOLDS = 5
_VALIDATE_EVERY = 2


@dataclass(frozen=True, slots=True)
class Trained:
    """The network's arrays by name, the threshold, and what it reached on questions that it had not seen."""

    weights: dict[str, NDArray[np.float32]]
    threshold: float
    metrics: dict[str, float]


def train_head(data: Dataset, options: TrainingOptions) -> Trained:
    """Five folds by question judge the method and choose the threshold; the head itself then learns from all of them,
    for as many epochs as the folds took in the middle."""
    folds = _folds(data, options.seed)
    unseen, epochs = _across_folds(data.inputs, data, folds, options)
    metrics = _metrics(unseen, data, folds, options)
    with_hidden, _ = _across_folds(np.concatenate([data.inputs, data.hidden], axis=1), data, folds, options)
    metrics["auc_with_hidden"] = auc(with_hidden, data.divergent)
    network = Network.fit(data.inputs, data.divergent, options, epochs)
    return Trained(exported(network), _threshold(unseen, data.divergent, options), metrics)


def _across_folds(
    inputs: NDArray[np.float32], data: Dataset, folds: NDArray[np.int64], options: TrainingOptions
) -> tuple[NDArray[np.float32], int]:
    """Each token's probability by a network that has not seen its question, and the middle number of epochs."""
    unseen = np.zeros(len(inputs), dtype=np.float32)
    epochs = []
    for fold in range(_FOLDS):
        test = folds == fold
        watch = folds == (fold + 1) % _FOLDS
        train = ~test & ~watch
        network = Network.new(inputs[train], options)
        best = _fit_until_best(network, inputs, data.divergent, (train, watch), options)
        epochs.append(best)
        unseen[test] = network.probabilities(inputs[test])
    return unseen, int(np.median(epochs))


def _fit_until_best(
    network: Network,
    inputs: NDArray[np.float32],
    divergent: NDArray[np.float32],
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    options: TrainingOptions,
) -> int:
    """Train until the loss on the watched questions has not fallen for ``patience`` epochs, and go back to where it was
    lowest; returns that epoch."""
    train, watch = masks
    best, lowest, kept = 0, float("inf"), network.state()
    for epoch in range(1, options.epochs + 1):
        network.epoch(inputs[train], divergent[train])
        if epoch % _VALIDATE_EVERY:
            continue
        loss = network.loss(inputs[watch], divergent[watch])
        if loss < lowest:
            best, lowest, kept = epoch, loss, network.state()
        elif epoch - best >= options.patience:
            break
    network.restore(kept)
    return best


def _metrics(
    unseen: NDArray[np.float32], data: Dataset, folds: NDArray[np.int64], options: TrainingOptions
) -> dict[str, float]:
    """Every fold is judged at the threshold that the other folds would have chosen."""
    chosen = np.zeros(len(unseen), dtype=bool)
    for fold in range(_FOLDS):
        here = folds == fold
        chosen[here] = unseen[here] >= _threshold(unseen[~here], data.divergent[~here], options)
    recall, precision, share = recall_precision_share(chosen, data.divergent)
    entropy = _entropy(data)
    at_entropy = entropy >= threshold_for_recall(entropy, data.divergent, options.recall)
    return {
        "questions": float(data.questions),
        "tokens": float(len(unseen)),
        "divergent": float(data.divergent.sum()),
        "auc": auc(unseen, data.divergent),
        "recall": recall,
        "precision": precision,
        "large_share": share,
        "auc_entropy": auc(entropy, data.divergent),
        "large_share_entropy": float(at_entropy.mean()),
    }


def _entropy(data: Dataset) -> NDArray[np.float32]:
    return data.inputs[:, TOP + 1]


def _threshold(probabilities: NDArray[np.float32], divergent: NDArray[np.float32], options: TrainingOptions) -> float:
    if options.large_share is not None:
        return threshold_for_share(probabilities, options.large_share)
    return threshold_for_recall(probabilities, divergent, options.recall)


def _folds(data: Dataset, seed: int) -> NDArray[np.int64]:
    """The fold of every token: whole questions together."""
    order: Any = np.random.default_rng(seed).permutation(data.questions)
    fold_of = np.empty(data.questions, dtype=np.int64)
    fold_of[order] = np.arange(data.questions) % _FOLDS
    return fold_of[data.question]
