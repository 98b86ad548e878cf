"""Learned text is untrusted: bounded, without chat-template tokens and what nobody sees, and never run."""

import re
import unicodedata
from functools import lru_cache

from orchestrator.guard import strip_template_tokens

NAME_CHARACTERS = 60
TEXT_CHARACTERS = 400
EXAMPLE_CHARACTERS = 1200
PROBLEM_CHARACTERS = 2000
_FORMATS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""What Unicode says may be ignored in display, beside the category Cf: fillers, joiners, variation selectors, tags."""
_LOOKED_AT = 16
"""Times the characters that are kept: what lies behind would only be needed if nearly all before it were dropped."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SPACES = re.compile(r"\s+")


def plain(text: str, characters: int) -> str:
    """``text`` on one line, without template tokens and invisible characters, cut after ``characters``."""
    # Invisible characters first: one inside a template token would hide it.
    stripped = strip_template_tokens(text[: _LOOKED_AT * characters].translate(_SHOWN))
    return _SPACES.sub(" ", stripped).strip()[:characters].rstrip()


def plain_lines(text: str, characters: int) -> str:
    """``plain``, line by line, each as far in as it was: on one line a program says nothing."""
    lines = [_plain_line(line, characters) for line in text[: _LOOKED_AT * characters].splitlines()]
    return "\n".join(line for line in lines if line.strip())[:characters].rstrip()


def _plain_line(line: str, characters: int) -> str:
    line = line.expandtabs(4)
    return " " * (len(line) - len(line.lstrip(" "))) + plain(line, characters)


class _Shown:
    """For ``str.translate``: controls become spaces, what nobody sees goes."""

    def __getitem__(self, code: int) -> str:
        return _shown(code)


_SHOWN = _Shown()


@lru_cache(maxsize=4096)
def _shown(code: int) -> str:
    character = chr(code)
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category in ("Cf", "Cs") or _FORMATS.match(character) else character


def slug(text: str) -> str:
    """A behaviour's name: lower case, words joined by ``_``."""
    return re.sub(r"[^a-z0-9]+", "_", plain(text, NAME_CHARACTERS).lower()).strip("_")


def masked(question: str) -> str:
    """What is compared of a question: its words, with every number the same."""
    return _NUMBER.sub("0", plain(question, PROBLEM_CHARACTERS))
