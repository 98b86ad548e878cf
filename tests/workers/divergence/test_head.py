"""The head: what it learns, what it measures, and that numpy computes what torch trained."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestrator.settings_file import profile_text
from workers.collaboration.entropy import entropy_from_below
from workers.collaboration.head import Head, TokenFeatures
from workers.divergence.dataset import Dataset
from workers.divergence.features import SCALARS, TOP, greedy_scalars, scalars
from workers.divergence.measures import auc, recall_precision_share, threshold_for_recall, threshold_for_share
from workers.divergence.shelf import HeadShelf, shipped_name
from workers.divergence.token_table import reduce_embeddings
from workers.divergence.trained_head import HeadCard, HeadUnreadable, TokenTable, TrainedHead
from workers.divergence.training_options import TrainingOptions

SMALL, LARGE = "a" * 64, "b" * 64
QUICK = TrainingOptions(width=16, epochs=8, patience=4, learning_rate=1e-2)


def table(vocabulary: int = 50, width: int = 8) -> TokenTable:
    rng = np.random.default_rng(1)
    return reduce_embeddings(rng.normal(size=(vocabulary, 24)).astype(np.float32), width)


def dataset(n: int = 800, questions: int = 10) -> Dataset:
    """Tokens of which those with a low first log-probability are divergent, some by chance."""
    rng = np.random.default_rng(0)
    logprobs = np.sort(rng.exponential(1.0, size=(n, TOP)).astype(np.float32) * -1, axis=1)[:, ::-1]
    divergent = (logprobs[:, 0] < -0.1) & (rng.random(n) < 0.8)
    inputs = np.concatenate([greedy_scalars(logprobs), rng.normal(size=(n, 8)).astype(np.float32)], axis=1)
    question = np.arange(n) * questions // n
    return Dataset(inputs, np.zeros((n, 4), dtype=np.float32), divergent.astype(np.float32), question)


@pytest.fixture(scope="module")
def head() -> TrainedHead:
    pytest.importorskip("torch", reason="training needs the extra `worker`")
    from workers.divergence.training import train_head

    trained = train_head(dataset(), QUICK)
    card = HeadCard(
        small=SMALL, large=LARGE, threshold=trained.threshold, blocks=2, seed=0, labels=1, metrics=trained.metrics
    )
    return TrainedHead(card, trained.weights, table())


def features(first: float, token: int = 3) -> TokenFeatures:
    return TokenFeatures(token, tuple((token + rank, first - 2.0 * rank) for rank in range(TOP)))


def test_a_trained_head_finds_what_it_was_shown(head: TrainedHead) -> None:
    seen: Head = head
    metrics = head.card.metrics
    assert metrics["auc"] > 0.8
    assert metrics["recall"] > 0.8
    assert seen.divergent(features(-1.5)) > seen.divergent(features(-0.001))
    assert 0.0 < seen.threshold < 1.0
    assert seen.top_logprobs == TOP


def test_numpy_computes_what_torch_trained(head: TrainedHead) -> None:
    from workers.divergence.network import Network, exported

    data = dataset()
    network = Network.fit(data.inputs, data.divergent, QUICK, 2)
    same = TrainedHead(head.card, exported(network), table())
    assert same.probabilities(data.inputs) == pytest.approx(network.probabilities(data.inputs), abs=1e-5)


def test_training_repeats_with_its_seed(head: TrainedHead) -> None:
    from workers.divergence.training import train_head

    again = train_head(dataset(), QUICK)
    assert again.threshold == head.threshold
    assert again.weights["enter.weight"] == pytest.approx(head.weights["enter.weight"])


def test_a_threshold_can_be_chosen_by_share(head: TrainedHead) -> None:
    from workers.divergence.training import train_head

    trained = train_head(dataset(), replace(QUICK, epochs=4, large_share=0.25))
    assert trained.metrics["large_share"] == pytest.approx(0.25, abs=0.08)


def test_a_head_survives_its_file(head: TrainedHead, tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    head.save(path)
    loaded = TrainedHead.load(path)
    assert loaded.card == head.card
    for first in (-0.01, -0.5, -3.0):
        # The file holds half precision.
        assert loaded.divergent(features(first)) == pytest.approx(head.divergent(features(first)), abs=0.01)


def test_a_configured_head_must_be_of_the_pair(head: TrainedHead, tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    head.save(path)
    shelf = HeadShelf()
    found = shelf.find(SMALL, LARGE, str(path))
    assert found is not None
    assert found is shelf.find(SMALL, LARGE, str(path))
    with pytest.raises(HeadUnreadable, match="tandem train divergence"):
        shelf.find("c" * 64, LARGE, str(path))
    with pytest.raises(HeadUnreadable, match=r"none\.npz"):
        shelf.find(SMALL, LARGE, str(tmp_path / "none.npz"))


def test_pairs_of_unknown_models_do_not_share_a_head(head: TrainedHead, tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    TrainedHead(head.card.model_copy(update={"small": "", "large": ""}), head.weights, table()).save(path)
    with pytest.raises(HeadUnreadable, match=r"unknown.*set `sha256`"):
        HeadShelf().find("", "", str(path))


def test_the_head_of_the_default_pair_ships() -> None:
    models = tomllib.loads(profile_text("cpu"))["models"].values()
    small, large = (next(model["sha256"] for model in models if model["role"] == role) for role in ("small", "large"))
    head = HeadShelf().find(small, large)
    assert head is not None
    assert (head.card.small, head.card.large) == (small, large)
    sure, unsure = (
        TokenFeatures(198, ((198, first), (13, second))) for first, second in ((-0.001, -9.0), (-0.9, -1.0))
    )
    assert head.divergent(sure) < head.threshold < head.divergent(unsure)


def test_a_file_that_is_no_head_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(HeadUnreadable, match=r"broken\.npz"):
        TrainedHead.load(path)


def test_a_pair_without_a_head_gets_none() -> None:
    assert HeadShelf().find(SMALL, LARGE) is None
    assert HeadShelf().find("", "") is None
    assert shipped_name(SMALL, LARGE) == f"{'a' * 12}-{'b' * 12}.npz"


def test_features_hold_for_any_number_of_log_probabilities() -> None:
    seen = ((9, -0.2), (8, -1.8))
    few = scalars(TokenFeatures(9, seen))
    assert few.shape == (SCALARS,)
    assert few[:2] == pytest.approx([-0.2, -1.8])
    assert few[2] == few[TOP - 1] == -20.0
    assert few[TOP:] == pytest.approx([-0.2, entropy_from_below(seen), 1.6])
    missing = scalars(TokenFeatures(7, seen))
    assert missing[TOP] == -20.0


def test_ids_that_the_table_does_not_have_embed_to_nothing() -> None:
    rows = table(50).of(np.asarray([0, 49, 50, -1]))
    assert rows.shape == (4, 8)
    assert rows[0].any()
    assert not rows[2:].any()


def test_measures() -> None:
    probabilities = np.asarray([0.1, 0.2, 0.8, 0.9], dtype=np.float32)
    divergent = np.asarray([0, 1, 0, 1], dtype=np.float32)
    assert auc(probabilities, divergent) == pytest.approx(0.75)
    assert auc(np.full(4, 0.5, dtype=np.float32), divergent) == pytest.approx(0.5)
    assert np.isnan(auc(probabilities, np.zeros(4, dtype=np.float32)))
    assert threshold_for_recall(probabilities, divergent, 0.5) == pytest.approx(0.9)
    assert threshold_for_recall(probabilities, divergent, 0.95) == pytest.approx(0.2)
    assert (probabilities >= threshold_for_share(probabilities, 0.5)).mean() == pytest.approx(0.5)
    assert recall_precision_share(probabilities >= 0.5, divergent) == (0.5, 0.5, 0.5)
