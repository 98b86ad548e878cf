"""Trained heads in a worker."""

from pathlib import Path

import numpy as np
import pytest
from redis.asyncio import Redis

from tests.workers.collaboration.through_worker import DIGESTS, TEXT, Engines, check_whole, everything, remote, request
from workers.collaboration.protocol import Written
from workers.divergence.features import SCALARS
from workers.divergence.trained_head import HeadCard, TokenTable, TrainedHead
from workers.engines.errors import EngineRefused


def head_that_finds_every_token_divergent(small: str, large: str, path: Path) -> Path:
    """Its network has a bias and nothing else."""
    seen = SCALARS + 1
    weights = {
        "mean": np.zeros(seen),
        "deviation": np.ones(seen),
        "enter.weight": np.zeros((2, seen)),
        "enter.bias": np.zeros(2),
        "norm.weight": np.zeros(2),
        "norm.bias": np.zeros(2),
        "leave.weight": np.zeros((1, 2)),
        "leave.bias": np.full(1, 9.0),
    }
    card = HeadCard(small=small, large=large, threshold=0.5, blocks=0, seed=0, labels=0)
    table = TokenTable(np.zeros((300, 1), dtype=np.int8), np.ones(1, dtype=np.float32))
    TrainedHead(card, {name: array.astype(np.float32) for name, array in weights.items()}, table).save(path)
    return path


@pytest.mark.usefixtures("worker")
async def test_the_configured_head_judges_in_the_worker(client: Redis, engines: Engines, tmp_path: Path) -> None:
    engines.play(TEXT[:40])
    head = head_that_finds_every_token_divergent(DIGESTS["small"], DIGESTS["large"], tmp_path / "head.npz")
    writers = []
    for collaboration in (remote(client, engines), remote(client, engines, head=str(head))):
        events = await everything(collaboration, request(policy="divergence"))
        check_whole(events)
        writers.append({event.model for event in events if isinstance(event, Written)})
    # By entropy the small model writes where it is sure; this head leaves it nothing.
    assert writers == [{"small", "large"}, {"large"}]


@pytest.mark.usefixtures("worker")
async def test_a_head_of_the_same_pair_the_other_way_round_is_refused(
    client: Redis, engines: Engines, tmp_path: Path
) -> None:
    engines.play()
    head = head_that_finds_every_token_divergent(DIGESTS["large"], DIGESTS["small"], tmp_path / "head.npz")
    with pytest.raises(EngineRefused, match=f"trained for the models with sha256 {DIGESTS['large']}"):
        await everything(remote(client, engines, head=str(head)), request(policy="divergence"))
    assert engines.tokens == 0
