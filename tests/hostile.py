"""Texts that make a careless search slow: a piece, repeated after a beginning that lets the search start."""

import time
import timeit
from collections.abc import Callable

ENOUGH = 0.5
"""Seconds: what takes tens of milliseconds at most takes many times as long as this once its cost is quadratic."""

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
    """What a search costs, however busy the machine is, and whatever else this process does meanwhile: ``timeit`` puts
    off collecting the garbage that earlier tests left."""
    return timeit.timeit(lambda: search(text), timer=time.thread_time, number=1)
