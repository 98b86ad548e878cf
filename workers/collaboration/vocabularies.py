"""Whether two engines mean the same by a token id."""

from workers.collaboration.protocol import VocabulariesDiffer
from workers.engines.protocol import Engine

# Scripts, numbers, code, spaces and markers: what tokenizers cut differently.
_PROBE = (
    "The quick brown fox's 3,141.59 jumps; naïveté, Übergrößenträger, Привет мир, 你好世界, こんにちは, 한국어, "
    '🎈🏽‍🚀 \\boxed{42} \\frac{1}{2}\n\n    def f(x):\n\t\treturn x ** 2  # ≤ ∞\r\n{"key": [1, 23, 456, 7890]} '
    "العربية antidisestablishmentarianism example.org/?q=a%20b <b>&amp;</b> <|im_start|>user\n<|im_end|>      end"
)
# Builds of one family are padded to different sizes (Qwen2.5: 151,936 and 152,064); those ids are never produced.
_PADDING = 0.01


async def same_vocabulary(first: Engine, second: Engine) -> bool:
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
