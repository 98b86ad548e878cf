"""Two ways to go on from one place in an answer, and what can be said of them without asking a model."""

import re
from collections import Counter

from workers.divergence.records import Ground

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_END = re.compile(r"[.?!][\s\"')\]]*\s|\n")


def first_sentence(text: str) -> str:
    """``text`` up to its first sentence end: a full stop, question or exclamation mark with white space after it, or a
    line break. A point within a number ends nothing."""
    # White space at the start belongs to the sentence before.
    lead = len(text) - len(text.lstrip())
    found = _END.search(text, lead)
    return text if found is None else text[: found.end()]


def ends_sentence(text: str) -> bool:
    """Whether a sentence has ended in ``text``."""
    return _END.search(text, len(text) - len(text.lstrip())) is not None


def plain_verdict(small: str, large: str) -> tuple[bool, Ground] | None:
    """Whether the alternatives diverge, where that needs no judge: they read the same but for white space and case, or
    each holds a number that the other one lacks."""
    if _folded(small) == _folded(large):
        return False, "same"
    ours, theirs = _numbers(small), _numbers(large)
    if ours - theirs and theirs - ours:
        return True, "numbers"
    return None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _numbers(text: str) -> Counter[float]:
    return Counter(float(found.replace(",", "")) for found in _NUMBER.findall(text))
