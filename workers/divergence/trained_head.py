"""A trained head as a file, and its judgement with numpy alone.

The network of R2R (arXiv 2505.21600, section 3.3) at the size of a small pair: log-probabilities and the token's
embedding are joined, projected, and go through residual blocks of layer norm, linear, GELU, linear. What is left out is
the last hidden state, which engines do not give over HTTP; the token's embedding is the small model's own, reduced to
its main components.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from workers.collaboration.head import TokenFeatures
from workers.divergence.features import TOP, scalars
from workers.engines.errors import EngineRefused

Weights = Mapping[str, NDArray[np.float32]]
_EPSILON = 1e-5


class HeadCard(BaseModel):
    """What a head file says of itself: the pair it was trained for, by the sha256 of the model files, its threshold
    and how it did on questions that it was not trained on."""

    model_config = ConfigDict(frozen=True)

    small: str
    large: str
    threshold: float
    blocks: int
    seed: int
    labels: int
    metrics: dict[str, float] = {}


class HeadUnreadable(EngineRefused):
    """The file is no head; the message names it."""


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Reduced embeddings of a vocabulary: ``codes`` (vocabulary, width) as signed bytes, times ``scale`` (width)."""

    codes: NDArray[np.int8]
    scale: NDArray[np.float32]

    def of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, width); zeros for an id that the vocabulary does not have."""
        known = (ids >= 0) & (ids < len(self.codes))
        rows = self.codes[np.where(known, ids, 0)].astype(np.float32) * self.scale
        return np.where(known[:, None], rows, 0.0).astype(np.float32)


class TrainedHead:
    """Implements ``Head``."""

    top_logprobs = TOP

    def __init__(self, card: HeadCard, weights: Weights, table: TokenTable) -> None:
        self.card = card
        self.weights = weights
        self._table = table

    @property
    def threshold(self) -> float:
        return self.card.threshold

    def divergent(self, features: TokenFeatures) -> float:
        embedding = self._table.of(np.asarray([features.id], dtype=np.int64))
        inputs = np.concatenate([scalars(features)[None], embedding], axis=1)
        return float(self.probabilities(inputs)[0])

    def probabilities(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n) from ``inputs`` (n, SCALARS + width of the table)."""
        weights = self.weights
        x: NDArray[np.float32] = (inputs - weights["mean"]) / weights["deviation"]
        x = x @ weights["enter.weight"].T + weights["enter.bias"]
        for block in range(self.card.blocks):
            x += self._block(x, f"blocks.{block}")
        x = self._normed(x, "norm")
        logits = (x @ weights["leave.weight"].T + weights["leave.bias"])[:, 0]
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60, 60))), dtype=np.float32)

    def save(self, path: Path) -> None:
        """As one file of arrays: weights in half precision, the card as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {f"w.{name}": array.astype(np.float16) for name, array in self.weights.items()}
        arrays["card"] = np.frombuffer(self.card.model_dump_json().encode(), dtype=np.uint8)
        with path.open("wb") as file:
            np.savez_compressed(file, codes=self._table.codes, scale=self._table.scale, **arrays)

    @classmethod
    def load(cls, path: Path) -> "TrainedHead":
        """Raises ``HeadUnreadable``."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                card = HeadCard.model_validate(json.loads(stored["card"].tobytes()))
                table = TokenTable(stored["codes"], stored["scale"].astype(np.float32))
                names = [name for name in stored.files if name.startswith("w.")]
                weights = {name.removeprefix("w."): stored[name].astype(np.float32) for name in names}
        except (OSError, ValueError, KeyError) as error:
            raise HeadUnreadable(
                f"{path} is no head of the policy divergence ({error}); make one with `tandem train divergence`"
            ) from error
        return cls(card, weights, table)

    def _block(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        weights = self.weights
        inner = self._normed(x, f"{name}.norm") @ weights[f"{name}.grow.weight"].T + weights[f"{name}.grow.bias"]
        out: NDArray[np.float32] = _gelu(inner) @ weights[f"{name}.shrink.weight"].T + weights[f"{name}.shrink.bias"]
        return out

    def _normed(self, x: NDArray[np.float32], name: str) -> NDArray[np.float32]:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON)
        out: NDArray[np.float32] = centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return out


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    out: NDArray[np.float32] = 0.5 * x * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))
    return out
