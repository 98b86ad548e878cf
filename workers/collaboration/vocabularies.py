"""Whether two engines mean the same by a token id."""

from collections.abc import Sequence
from typing import Protocol

from workers.collaboration.protocol import VocabulariesDiffer
from workers.engines.protocol import EngineDescription

# Scripts, numbers, code, spaces and markers: what tokenizers cut differently. Generations of one family differ only in
# the markers that a later one has added: Qwen3's for thinking and for what tools answer are plain text to Qwen2.5.
_PROBE = (
    "The quick brown fox's 3,141.59 jumps; naïveté, Übergrößenträger, Привет мир, 你好世界, こんにちは, 한국어, "
    '🎈🏽‍🚀 \\boxed{42} \\frac{1}{2}\n\n    def f(x):\n\t\treturn x ** 2  # ≤ ∞\r\n{"key": [1, 23, 456, 7890]} '
    "العربية antidisestablishmentarianism example.org/?q=a%20b <b>&amp;</b> <|im_start|>user\n<|im_end|>      "
    "<think></think><tool_call></tool_call><tool_response></tool_response> end"
)
# Builds of one family are padded to different sizes (Qwen2.5: 151,936 and 152,064); those ids are never produced.
_PADDING = 0.01


class Vocabulary(Protocol):
    """The part of an engine that says what ids mean."""

    async def describe(self) -> EngineDescription: ...

    async def tokenize(self, text: str) -> tuple[int, ...]: ...

    async def detokenize(self, ids: Sequence[int]) -> str: ...


async def same_vocabulary(first: Vocabulary, second: Vocabulary) -> bool:
    """Whether a probe of many scripts has the same ids on both and comes back from them, and both are of one size,
    padding aside."""
    sizes = [(await engine.describe()).vocabulary for engine in (first, second)]
    if abs(sizes[0] - sizes[1]) > _PADDING * max(sizes):
        return False
    ids = await first.tokenize(_PROBE)
    if ids != await second.tokenize(_PROBE):
        return False
    return await first.detokenize(ids) == await second.detokenize(ids)


def vocabularies_differ(policy: str, small: str, large: str, others: str) -> VocabulariesDiffer:
    return VocabulariesDiffer(
        f"policy {policy!r} mixes tokens, and models {small!r} and {large!r} have different tokenizers; use a pair "
        f"from one family, or a policy that works over text: {others}"
    )
