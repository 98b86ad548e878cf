"""Whether two answers are the same, and which of many are."""

import re
from collections.abc import Sequence

from tools.verifiers.choices import affirms, letter
from tools.verifiers.latex import plain
from tools.verifiers.numbers import number
from tools.verifiers.protocol import Comparison, Form
from tools.verifiers.symbolic import comparison

LONGEST = 2_000
"""Characters; a longer answer is equal only to its own text."""

_SPACE = re.compile(r"\s+")


def equal(answer: str, reference: str, form: Form, symbolic: Comparison | None = None) -> bool:
    """Whether ``answer`` means the same as ``reference``.

    Expressions that differ as text are compared in another process and block for at most a few seconds: call it off
    the event loop. ``symbolic`` replaces the comparison of this process.
    """
    left, right = _normal(answer), _normal(reference)
    if left == right:
        return True
    if not left or not right or max(len(left), len(right)) > LONGEST:
        return False
    if form == "choice":
        return letter(answer) is not None and letter(answer) == letter(reference)
    if form == "yes-no":
        return affirms(answer) is not None and affirms(answer) == affirms(reference)
    if form in ("text", "code"):
        return left.casefold() == right.casefold()
    return _equal_mathematically(answer, reference, form == "number", symbolic)


def cluster(values: Sequence[str | None], form: Form) -> list[list[int]]:
    """Indices of equal answers, largest group first, ties by first seen. An absent answer (None) votes for nothing."""
    groups: list[list[int]] = []
    for index, value in enumerate(values):
        if value is None:
            continue
        for group in groups:
            if equal(value, values[group[0]] or "", form):
                group.append(index)
                break
        else:
            groups.append([index])
    # sorting is stable, so ties stay in the order in which they were first seen
    return sorted(groups, key=len, reverse=True)


def _equal_mathematically(answer: str, reference: str, units: bool, symbolic: Comparison | None) -> bool:
    left, right = number(answer, units), number(reference, units)
    if left is not None and right is not None:
        return left.equals(right)
    return (symbolic or comparison()).equal(plain(answer), plain(reference))


def _normal(text: str) -> str:
    return _SPACE.sub(" ", plain(text)).strip()
