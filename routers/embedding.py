"""Vectors of texts: what routers and the playbook find similar questions by."""

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from wordllama.inference import WordLlamaInference

Vectors = NDArray[np.float32]
_TINY = 1e-12
_BATCH = 16


class Embedder(Protocol):
    """``dimensions`` is the length of a vector."""

    dimensions: int

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions), each of length 1 (zeros for a text without words); never computed on the event loop."""
        ...


class WordEmbedder:
    """The static embedding that ships in the wordllama wheel: the mean over a text's tokens, with no network, no torch
    and a fraction of a millisecond for a question. The first call loads it, which takes about half a second.

    A text longer than ``characters`` is read at its beginning and its end, where the question mostly is. ``kept``
    bounds the cache of vectors.
    """

    dimensions = 256

    def __init__(self, *, characters: int = 4000, kept: int = 4096) -> None:
        self._characters = characters
        self._kept = kept
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._model: WordLlamaInference | None = None
        # Threads share both; loading twice would only be slow, but an entry could go between its look-up and its move.
        self._cache_lock = threading.Lock()
        self._model_lock = threading.Lock()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        known = self._known([self._bounded(text) for text in texts])
        if all(vector is not None for vector in known.values()):
            return self._stacked(texts, known)
        return await asyncio.to_thread(self.embed_blocking, texts)

    def embed_blocking(self, texts: Sequence[str]) -> Vectors:
        """``embed`` for a caller without an event loop."""
        known = self._known([self._bounded(text) for text in texts])
        missing = [text for text, vector in known.items() if vector is None]
        if missing:
            fresh = dict(zip(missing, self._computed(missing), strict=True))
            self._keep(fresh)
            known |= fresh
        return self._stacked(texts, known)

    def _stacked(self, texts: Sequence[str], known: dict[str, Vectors | None]) -> Vectors:
        rows = [vector for text in texts if (vector := known[self._bounded(text)]) is not None]
        return np.stack(rows) if rows else np.zeros((0, self.dimensions), dtype=np.float32)

    def _bounded(self, text: str) -> str:
        if len(text) <= self._characters:
            return text
        half = self._characters // 2
        return f"{text[:half]} {text[-half:]}"

    def _known(self, texts: Sequence[str]) -> dict[str, Vectors | None]:
        with self._cache_lock:
            for text in texts:
                if text in self._vectors:
                    self._vectors.move_to_end(text)
            return {text: self._vectors.get(text) for text in texts}

    def _keep(self, fresh: dict[str, Vectors]) -> None:
        with self._cache_lock:
            self._vectors.update(fresh)
            while len(self._vectors) > self._kept:
                self._vectors.popitem(last=False)

    def _computed(self, texts: list[str]) -> Vectors:
        means = self._loaded().embed(texts, batch_size=_BATCH)
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        vectors: Vectors = (means / np.maximum(lengths, _TINY)).astype(np.float32)
        return vectors

    def _loaded(self) -> "WordLlamaInference":
        with self._model_lock:
            if self._model is None:
                self._model = _load()
            return self._model


def _load() -> "WordLlamaInference":
    """From the two files in the package: its own loader seeks the tokenizer in another folder, and would download."""
    with _logging_untouched():
        from wordllama.inference import WordLlamaInference
    from safetensors import safe_open
    from tokenizers import Tokenizer

    package = resources.files("wordllama")
    with (
        resources.as_file(package / "weights" / "l2_supercat_256.safetensors") as weights,
        resources.as_file(package / "tokenizers" / "l2_supercat_tokenizer_config.json") as tokens,
    ):
        with safe_open(weights, framework="np") as file:
            table = file.get_tensor("embedding.weight")
        return WordLlamaInference(table, Tokenizer.from_file(str(tokens)))


@contextmanager
def _logging_untouched() -> Iterator[None]:
    """The package calls ``logging.basicConfig`` when it is imported, which does nothing where a handler is already."""
    root, placeholder = logging.getLogger(), logging.NullHandler()
    root.addHandler(placeholder)
    try:
        yield
    finally:
        root.removeHandler(placeholder)
