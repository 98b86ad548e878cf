"""Where an answer stands in the course of Speculative Thinking (arXiv 2504.12329), worked out from its texts alone."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal["free", "span", "begin", "verify", "recap"]

BLANK_LINE = "\n\n"
_VERIFY = ("verify", "think again", "recap", "check")
_NEGATIVE = ("wait", "alternatively", "hold on", "another")
_POSITIVE = ("yeah", "yes", "final answer", "confident")


def sentiment(text: str) -> int:
    """1: the text affirms, -1: it doubts or verifies, 0: neither. A tie of both kinds doubts."""
    lower = text.lower()
    positive = sum(word in lower for word in _POSITIVE)
    doubts = sum(word in lower for word in _NEGATIVE + _VERIFY)
    if positive == doubts:
        return -1 if doubts else 0
    return 1 if positive > doubts else -1


def verifies(text: str) -> bool:
    lower = text.lower()
    return any(word in lower for word in _VERIFY)


@dataclass(frozen=True, slots=True)
class Pace:
    """Lengths in tokens, as in the policy's options; ``recap_length`` is that of the sentence a recap begins with."""

    span: int
    begin: int
    verify: int
    recap: int
    recap_step: int
    recap_most: int
    recap_after: int
    recap_after_step: int
    recap_after_most: int
    recap_length: int


class Course:
    """``phase`` is what the next token belongs to: ``free`` is the small model's, ``span`` what follows a blank line,
    the others are the large model's. ``taken`` and ``left`` count the phase's tokens; ``free`` has no
    end of its own."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._recap = pace.recap
        self._recap_after = pace.recap_after
        self._doubts = 0
        self._text = ""
        self.phase: Phase = "free"
        self.taken = 0
        self.left = 0
        if pace.begin:
            self._enter("begin", pace.begin)

    def calls_large(self, *, drafting: bool) -> bool:
        """Whether the next token is the large model's, which it is not yet where the small one drafts a span."""
        return self.phase != "free" and not (drafting and self.phase == "span")

    def take(self, text: str) -> None:
        """A token more."""
        self._text += text
        self.taken += 1
        if self.phase == "free":
            if BLANK_LINE in self._text:
                self._after_blank_line()
            return
        self.left -= 1
        if self.left == 0:
            self._after_phase()

    def _after_blank_line(self) -> None:
        if self._doubts >= self._recap_after:
            self._enter("recap", self._pace.recap_length + self._recap)
        else:
            self._enter("span", self._pace.span)

    def _after_phase(self) -> None:
        phase, text = self.phase, self._text
        self._enter("free", 0)
        if phase == "recap":
            self._doubts = 0
            self._recap = min(self._recap + self._pace.recap_step, self._pace.recap_most)
            self._recap_after = min(self._recap_after + self._pace.recap_after_step, self._pace.recap_after_most)
        elif phase == "span":
            self._doubts += sentiment(text) < 0
            if verifies(text) and self._pace.verify:
                self._enter("verify", self._pace.verify)

    def _enter(self, phase: Phase, length: int) -> None:
        self.phase = phase
        self.left = length
        self.taken = 0
        self._text = ""
