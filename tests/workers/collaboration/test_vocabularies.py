"""Whether two models mean the same by a token id, on tokenizers that differ in little."""

import re
from collections.abc import Sequence

from workers.collaboration.vocabularies import same_vocabulary
from workers.engines.protocol import EngineDescription
from workers.engines.scripted.tokenizer import MARKERS

OLDER = (*MARKERS, "<tool_call>", "</tool_call>")
NEWER = (*OLDER, "<tool_response>", "</tool_response>", "<think>", "</think>")
PADDED = 512


class Bytes:
    """One token for each byte, and ``markers``; padded to one size, as generations of a family are."""

    def __init__(self, markers: Sequence[str], size: int = PADDED) -> None:
        self._markers = list(markers)
        self._size = size

    async def describe(self) -> EngineDescription:
        return EngineDescription(model="bytes", vocabulary=self._size, context=1024)

    async def tokenize(self, text: str) -> tuple[int, ...]:
        ids: list[int] = []
        for part in re.split("(" + "|".join(map(re.escape, self._markers)) + ")", text):
            ids += [256 + self._markers.index(part)] if part in self._markers else part.encode()
        return tuple(ids)

    async def detokenize(self, ids: Sequence[int]) -> str:
        return b"".join(self._markers[id - 256].encode() if id >= 256 else bytes((id,)) for id in ids).decode()


async def test_builds_of_one_family_are_the_same_whatever_their_padding() -> None:
    assert await same_vocabulary(Bytes(OLDER), Bytes(OLDER, PADDED + 2))
    assert not await same_vocabulary(Bytes(OLDER), Bytes(OLDER, 2 * PADDED))


async def test_a_generation_that_thinks_is_told_from_one_that_does_not() -> None:
    assert not await same_vocabulary(Bytes(OLDER), Bytes(NEWER))
    assert not await same_vocabulary(Bytes(NEWER), Bytes(OLDER))


async def test_markers_that_have_changed_places_are_told_apart() -> None:
    swapped = (*OLDER[:-2], *reversed(OLDER[-2:]))
    assert not await same_vocabulary(Bytes(OLDER), Bytes(swapped))
