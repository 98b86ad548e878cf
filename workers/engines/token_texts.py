"""Text of tokens that come one by one, with whole characters only and without stop strings."""

from collections.abc import Callable, Sequence

from workers.engines.stop_strings import first_stop, forming

_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_LONGEST_CHARACTER = 4
_CONTEXT = 4


class TokenTexts:
    """``decode`` turns ids into text; what comes before an id may decide about its white space, so the last ids of the
    ``prompt`` are decoded with the first ones of the answer."""

    def __init__(self, decode: Callable[[Sequence[int]], str], prompt: Sequence[int], stop: Sequence[str]) -> None:
        self._decode = decode
        self._stop = tuple(stop)
        self._before = list(prompt[-_CONTEXT:])
        self._pending: list[int] = []
        self._text = ""
        self._shown = 0
        self.stopped = False

    def add(self, token: int) -> str:
        """What can be shown now that ``token`` has come. ``stopped`` afterwards: a stop string has, and is cut off."""
        self._pending.append(token)
        start = len(self._decode(self._before))
        piece = self._decode([*self._before, *self._pending])[start:]
        if piece.endswith(_UNKNOWN) and len(self._pending) < _LONGEST_CHARACTER:
            return ""
        self._before = [*self._before, *self._pending][-_CONTEXT:]
        self._pending = []
        longest = max(map(len, self._stop), default=0)
        searched = max(0, len(self._text) - longest)
        self._text += piece
        found = first_stop(self._text, self._stop, searched)
        if found >= 0:
            self.stopped = True
            return self._show(found)
        return self._show(len(self._text) - forming(self._text, self._stop))

    def rest(self) -> str:
        """What was held back for a stop string that never came."""
        return self._show(len(self._text))

    def _show(self, end: int) -> str:
        text = self._text[self._shown : end]
        self._shown = max(self._shown, end)
        return text
