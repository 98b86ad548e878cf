"""Stop strings over text that arrives in pieces."""

from collections.abc import Sequence


def forming(text: str, stop: Sequence[str]) -> int:
    """Length of the longest end of ``text`` that a stop string begins with: what must not be shown yet."""
    longest = 0
    for word in stop:
        for length in range(min(len(word), len(text)), longest, -1):
            if text.endswith(word[:length]):
                longest = length
                break
    return longest


def first_stop(text: str, stop: Sequence[str], start: int) -> int:
    """Index of the first stop string in ``text`` at or after ``start``, or -1."""
    found = [index for word in stop if word and (index := text.find(word, start)) >= 0]
    return min(found, default=-1)
