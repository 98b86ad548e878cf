"""Vectors of texts: near for what means the same, offline, bounded, and off the event loop."""

import asyncio
import subprocess
import sys

import numpy as np
import pytest

from routers.embedding import WordEmbedder

_DUCKS = "Janet's ducks lay 16 eggs per day. How many eggs do they lay in a week?"
_HENS = "A farmer's hens lay 12 eggs a day. How many eggs does he collect in a month?"
_LAW = "Which of these rivers flows through the capital of Hungary? A. Danube B. Rhine"


@pytest.fixture(scope="module")
def embedder() -> WordEmbedder:
    return WordEmbedder()


async def test_questions_of_one_kind_are_nearer_than_others(embedder: WordEmbedder) -> None:
    ducks, hens, law = await embedder.embed([_DUCKS, _HENS, _LAW])
    assert ducks @ hens > ducks @ law + 0.2
    assert ducks.dtype == np.float32 and ducks.shape == (embedder.dimensions,)
    assert np.linalg.norm(ducks) == pytest.approx(1.0, abs=1e-5)


async def test_a_vector_does_not_depend_on_what_is_embedded_beside_it(embedder: WordEmbedder) -> None:
    alone = await WordEmbedder().embed([_DUCKS])
    together = await embedder.embed([_LAW * 20, _DUCKS, _DUCKS])
    assert together.shape == (3, 256)
    np.testing.assert_allclose(together[1], alone[0], atol=1e-6)
    np.testing.assert_array_equal(together[1], together[2])


async def test_text_without_words_and_no_text_at_all(embedder: WordEmbedder) -> None:
    assert not (await embedder.embed([""])).any()
    assert (await embedder.embed([])).shape == (0, 256)


async def test_of_a_very_long_text_beginning_and_end_count() -> None:
    short = WordEmbedder(characters=400)
    filler = "lorem ipsum " * 100_000
    asked, other = await short.embed([f"{filler}{_DUCKS}", f"{filler}{_LAW}"])
    ducks = (await short.embed([_DUCKS]))[0]
    assert ducks @ asked > ducks @ other


async def test_the_cache_of_vectors_is_bounded_and_many_callers_share_it() -> None:
    small = WordEmbedder(kept=2)
    texts = [f"question number {n}" for n in range(5)]
    answers = await asyncio.gather(*(small.embed(texts) for _ in range(8)))
    for answer in answers[1:]:
        np.testing.assert_array_equal(answer, answers[0])
    assert len(small._vectors) <= 2


def test_loading_leaves_the_logging_of_the_process_alone() -> None:
    program = (
        "import logging; from routers.embedding import WordEmbedder;"
        "WordEmbedder().embed_blocking(['a question']);"
        "root = logging.getLogger(); assert root.handlers == [] and root.level == logging.WARNING, root.handlers"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
