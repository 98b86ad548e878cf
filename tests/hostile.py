"""Texts that make a careless search slow: a piece, repeated after a beginning that lets the search start."""

import time
from collections.abc import Callable

ENOUGH = 0.5
"""Seconds: what takes tens of milliseconds at most takes many times as long as this once its cost is quadratic."""
_TRIES = 3

PHRASES = (
    ("", "\n"),
    ("", " "),
    ("", "\t\n"),
    ("1 +", " "),
    ("$", "_"),
    ("", "$_"),
    ("", "$"),
    ("", "how "),
    ("", "find the "),
    ("A. ", "x "),
    ("A. x", " "),
    ("A.", "\n"),
    ("", "Write a title and tags "),
    ("", "import"),
    ("", "based on the above, is the following statement true "),
    ("", "based on the above "),
    ("", "is the following statement "),
    ("is the following statement ", "true "),
    ("", "true or false "),
    ("true or false", " "),
    ("true or false:", "\n"),
)


def hostile(start: str, piece: str, characters: int) -> str:
    """A text of about so many characters, whose end matches nothing that its beginning promises."""
    return f"{start}{piece * (characters // len(piece))}!z"


def cpu_seconds(search: Callable[[str], object], text: str) -> float:
    """What a search costs, however busy the machine is, and whatever else this process does meanwhile. It may meet a
    collection of all the garbage that earlier tests left: what seems too dear is tried again, twice at most."""
    return next((taken for taken in (_taken(search, text) for _ in range(_TRIES)) if taken < ENOUGH), ENOUGH)


def _taken(search: Callable[[str], object], text: str) -> float:
    begin = time.thread_time()
    search(text)
    return time.thread_time() - begin
