"""Letters of multiple choice questions, and yes or no."""

import re
from collections.abc import Container

from tools.verifiers.latex import plain

# "(B)", "B.", "B)", "B: text", "**B**", "Option B" at the beginning of an answer
_LEADING = re.compile(
    r"(?:(?:option|choice|answer)\s)?[\[(*\s]*([A-Ja-j])(?:[\])*\s]*$|\s*[\]).:*,]|\s+-\s)", re.IGNORECASE
)
_MARKED = re.compile(r"\(([A-J])\)|(?:^|\s)\**([A-J])\**(?:[.):]|\s*$)", re.MULTILINE)
_YES_NO = re.compile(r"\b(yes|no|true|false)\b", re.IGNORECASE)
_LETTERS = frozenset("ABCDEFGHIJ")
_MEANS_YES = {"yes": True, "true": True, "no": False, "false": False}


def letter(text: str) -> str | None:
    """The letter, in upper case, that ``text`` begins with as a choice."""
    match = _LEADING.match(plain(text))
    return match[1].upper() if match else None


def last_letter(text: str, among: Container[str] = _LETTERS) -> str | None:
    """The last letter in a longer text that is marked as a choice, and is ``among`` those that there are."""
    marked = (first or second for first, second in reversed(_MARKED.findall(text)))
    return next((found for found in marked if found in among), None)


def affirms(text: str) -> bool | None:
    """True for yes, False for no, by the first such word; None where there is none."""
    match = _YES_NO.search(text)
    return _MEANS_YES[match[1].lower()] if match else None
