"""Where sentences begin in a text that grows token by token."""

import re

# A full stop in "3.14" or after the number of a list item ends no sentence.
_ENDED = re.compile(r"[.?!][\"')\]*]*$")
_LIST_NUMBER = re.compile(r"(?:^|\n)\s*\d+\.$")


class Sentences:
    """Sentences end at ". ", "? ", "! " and newlines. ``index`` counts them from 0; ``length`` is how many tokens the
    current one has, ``text`` what they say."""

    def __init__(self) -> None:
        self.index = 0
        self.length = 0
        self.text = ""

    def begins(self, text: str) -> bool:
        """Whether a token with this text would begin the next sentence."""
        if not text or not self.text.strip():
            return False
        if self.text.rstrip(" \t").endswith("\n"):
            return not text.isspace()
        if text.isspace() and "\n" in text:
            return False  # the line break after a sentence is the end of it
        if not text[0].isspace() or _LIST_NUMBER.search(self.text):
            return False
        return _ENDED.search(self.text) is not None

    def add(self, text: str) -> None:
        if self.begins(text):
            self.next()
        self.length += 1
        self.text += text

    def next(self) -> None:
        """Begin the next sentence with the next token, whatever it is."""
        self.index += 1
        self.length = 0
        self.text = ""
