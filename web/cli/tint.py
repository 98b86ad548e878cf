"""Tokens in the colour of the model that wrote them."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from rich.console import Console
from rich.text import Text

from workers.collaboration.protocol import Written

# Told apart on dark and light backgrounds, and by readers who do not see red and green as different.
_STYLES = ("cyan", "bold magenta", "yellow", "blue")


class Tint:
    """Prints to one console; each model gets its colour when it first writes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._styles: dict[str, str] = {}

    def show(self, tokens: Sequence[Written]) -> None:
        self._console.print(self._text(tokens), end="", soft_wrap=True)

    def legend(self) -> None:
        """Which colour is whose; nothing where no token has been shown."""
        if self._styles:
            self._console.print(Text(" ").join(Text(name, style) for name, style in self._styles.items()))

    def _text(self, tokens: Sequence[Written]) -> Text:
        text = Text()
        for model, written in groupby(tokens, key=attrgetter("model")):
            style = self._styles.setdefault(model, _STYLES[len(self._styles) % len(_STYLES)])
            text.append("".join(token.text for token in written), style)
        return text
