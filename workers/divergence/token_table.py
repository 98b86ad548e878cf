"""Makes the table of reduced embeddings from a model's input embeddings."""

import numpy as np
from numpy.typing import NDArray

from workers.divergence.trained_head import TokenTable

WIDTH = 8


def reduce_embeddings(embeddings: NDArray[np.float32], width: int = WIDTH) -> TokenTable:
    """The ``width`` principal components of ``embeddings`` (vocabulary, n), each with a deviation of one, in bytes."""
    centred = embeddings - embeddings.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    reduced = centred @ axes[:, ::-1][:, :width]
    reduced /= reduced.std(axis=0) + 1e-9
    limit = np.percentile(np.abs(reduced), 99.9, axis=0)
    codes = np.clip(np.round(reduced / limit * 127), -127, 127).astype(np.int8)
    return TokenTable(codes, (limit / 127).astype(np.float32))
