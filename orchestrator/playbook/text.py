"""Learned text is untrusted: bounded, on one line, without chat-template tokens, and never run."""

import re

from orchestrator.guard import strip_template_tokens

NAME_CHARACTERS = 60
TEXT_CHARACTERS = 400
PROBLEM_CHARACTERS = 2000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SPACES = re.compile(r"\s+")


def plain(text: str, characters: int) -> str:
    """``text`` on one line, without template tokens and invisible characters, cut after ``characters``."""
    # Invisible characters first: one inside a template token would hide it.
    stripped = strip_template_tokens(_CONTROL.sub(" ", text))
    return _SPACES.sub(" ", stripped).strip()[:characters].rstrip()


def slug(text: str) -> str:
    """A behaviour's name: lower case, words joined by ``_``."""
    return re.sub(r"[^a-z0-9]+", "_", plain(text, NAME_CHARACTERS).lower()).strip("_")


def masked(question: str) -> str:
    """What is compared of a question: its words, with every number the same."""
    return _NUMBER.sub("0", plain(question, PROBLEM_CHARACTERS))
