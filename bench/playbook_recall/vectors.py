"""Made-up questions as vectors: where they lie is all that recall's speed depends on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from routers.embedding import Vectors

Shape = Literal["random", "clustered"]
_DIMENSIONS = 256
_CLUSTERS = 500
# Of the noise around a cluster's centre, relative to the centre: members of one are about as alike (cosine 0.7) as
# questions of one family are under the embedding that ships with Tandem.
_SPREAD = 0.65
_NEARNESS = 0.5


@dataclass(frozen=True, slots=True)
class Cloud:
    """``stored`` (n, 256) and ``asked`` (m, 256), each of length 1; ``groups`` (n) numbers the cluster of each."""

    stored: Vectors
    asked: Vectors
    groups: Sequence[int]


def cloud(shape: Shape, size: int, queries: int, seed: int) -> Cloud:
    """``size`` vectors, and ``queries`` like some of them. Random ones have no neighbours to speak of, which is the
    hardest case for an approximate search; clustered ones are as questions are."""
    chance = np.random.default_rng(seed)
    groups = chance.integers(0, _CLUSTERS, size)
    points = chance.standard_normal((size, _DIMENSIONS))
    if shape == "clustered":
        points = chance.standard_normal((_CLUSTERS, _DIMENSIONS))[groups] + _SPREAD * points
    stored = unit(points)
    noise = unit(chance.standard_normal((queries, _DIMENSIONS)))
    asked = unit(stored[chance.integers(0, size, queries)] + _NEARNESS * noise)
    return Cloud(stored, asked, [int(group) for group in groups])


def centres(vectors: Cloud) -> dict[int, Vectors]:
    """Where the members of each group lie on average, each of length 1."""
    groups = np.asarray(vectors.groups)
    numbers = [int(group) for group in np.unique(groups)]
    means = unit(np.stack([vectors.stored[groups == group].mean(axis=0) for group in numbers]))
    return dict(zip(numbers, means, strict=True))


def unit(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | Vectors) -> Vectors:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    vectors: Vectors = (points / lengths).astype(np.float32)
    return vectors
