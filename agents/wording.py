"""What the words of a question alone show to be missing: amounts that are no number, and numbers that cannot be.

Reading costs no model's time, so it comes before any attempt. It finds what a reader would find at a glance, and leaves
all else to the model's verdict (``agents.asking``). The words were chosen on half of the development questions of umwp.
"""

import re
from dataclasses import dataclass
from typing import Literal

from agents.problem import AnswerForm

Kind = Literal["vague", "bound", "impossible", "alone"]

_LONGEST = 2000
"""Characters: a problem in words is shorter, and some patterns take time that grows with the square of the length."""

_NUMBER = r"(?:\$\s?)?\d+(?:,\d{3})*(?:\.\d+)?"
_COUNT = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|dozen"

_SMALL = "on|in|to|at|by|of|for|from|with|the|and|or|but|as|while|if|that|who|which|is|are|was|were|he|she|it|they|each"

# "several full shelves": what is counted may be the second word.
_VAGUE = re.compile(
    r"\b(?:several|numerous|(?:dozens|hundreds|thousands|plenty|lots|a lot|a bunch|a couple|an? (?:unknown )?number)"
    rf" of)\s+(?!(?:{_SMALL})\b)(?P<things>[a-z'-]+(?:\s+(?!(?:{_SMALL})\b)[a-z]+)?)",
    re.IGNORECASE,
)
# "had many songs" tells how many there were no more than "several" does; "how many songs" asks.
_MANY = re.compile(
    r"\b(?:has|have|had|are|were|is|was|with|collected|bought|found|sold|baked|made|ate|got|gave|lost|into|spent|took|"
    r"used|received|puts?|filled)\s+(?:only |just |too )?(?:many|a few|few)\s+(?!than\b|to\b|of\b|and\b|times\b|as\b)"
    r"(?P<things>[a-z]+)",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"\b(?:a bit|a small amount|some (?:hours|minutes|days|dollars)|once or twice)\b", re.IGNORECASE)
_BOUND = re.compile(
    rf"\b(?:at least|at most|more than|less than|fewer than)\s+(?:{_NUMBER}|{_COUNT})\b"
    r"(?!\s*(?:%|percent|times|more|o'clock|[ap]\.?m\b|feet tall|years old|each))",
    re.IGNORECASE,
)
# A bound is a condition and no amount after these: "needs at least 3", "who sold more than 5", "12 more than 3".
_CONDITION = re.compile(
    r"(?:\b(?:how (?:many|much)|no|not|times|much|needs?|must|should|wants?|has to|who|that|which|every)|\d)"
    r"\s*(?:\w+\s){0,2}$",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"(?<![\w.,]){_NUMBER}\s*(?:to|-|–|or)\s*{_NUMBER}\s+(?!ratio|scale|[ap]\.?m\b)[a-z]+", re.IGNORECASE
)
_NEGATIVE = re.compile(r"(?<!\S)-(?:\$\s?\d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)?\s+[a-z]+)", re.IGNORECASE)
_NOTHING = re.compile(
    r"\b(?:groups?|rows?|boxes|bags|piles|teams|pieces) of 0\b|\b(?:into|among|between) 0\b", re.IGNORECASE
)

_AMOUNT = re.compile(
    rf"(?<![\w.]){_NUMBER}|\b(?:{_COUNT}|both|half|twice|double|triple|thirds?|quarters?|fourths?|fifths?|once|thrice|"
    r"thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|sixty|seventy|eighty|ninety|thousand|pair|"
    r"day|days|daily|week|weeks|weekly|month|months|monthly|year|years|yearly)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(?<![\d,.])\d[\d,.]*\s+(?:[a-z]+\s+)?[a-z]+", re.IGNORECASE)
_ASKS = re.compile(r"\b(?:how|what|calculate|find)\b", re.IGNORECASE)
_TITLE = re.compile(r"\b(Mrs?|Ms|Dr|St)\.", re.IGNORECASE)
_HOW_MANY = re.compile(r"\bhow (?:many|much)\b[^.?!]*\?\s*$", re.IGNORECASE)
_AMOUNT_ASKED = re.compile(
    r"\b(?:how (?:many|much|long|old|big|far|tall)\b|(?:what(?:'s| is| was)|calculate|find|determine) the "
    r"(?:total|combined|average|number|amount|sum|cost|price)\b)[^.?!]*[.?]\s*$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?]\s+(?=[A-Z])")
# Of mathematics, where "at least 3" and "-2" are what is meant.
_MATHEMATICS = re.compile(
    r"\\|\$(?!\s?\d)[^$]|[=^√π]|\b(?:integers?|digits?|primes?|divisors?|multiples?|equations?|functions?|polynomials?|"
    r"probabilit(?:y|ies)|triangles?|circles?|angles?|radius|ways|arrangements?|assortments?|combinations?|distinct|"
    r"least common)\b",
    re.IGNORECASE,
)
# What may well be below nothing.
_SIGNED = re.compile(r"\b(?:degrees?|temperatures?|values?|balance|elevation)\b", re.IGNORECASE)
# Whoever asks about themselves may want advice and no number.
_ABOUT_ONESELF = re.compile(r"\b(?:i|i'm|my|me|we|our|us|you|your)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unclear:
    """What is unclear, in the words of the question; "" where words are missing."""

    kind: Kind
    phrase: str


def unclear(question: str, form: AnswerForm) -> Unclear | None:
    """The first thing that keeps a question about a number from having one answer, or None.

    A question that counts as free text is looked at for missing numbers alone: "Ann has 5 boxes of apples. How many
    apples does she have?"
    """
    if form not in ("number", "text") or not may_lack(question):
        return None
    if form == "text":
        return Unclear("alone", "") if _lacks_numbers(question) else None
    told = question[: _start_of_asking(question)]
    counted = _counted(question)
    found: tuple[tuple[Kind, str], ...] = (
        ("vague", _not_counted(_VAGUE, told, counted)),
        ("vague", _not_counted(_MANY, told, counted)),
        ("vague", _found(_LOOSE, told)),
        ("bound", _bound(question)),
        ("bound", _found(_RANGE, question)),
        ("impossible", "" if _SIGNED.search(question) else _found(_NEGATIVE, question)),
        ("impossible", _found(_NOTHING, question)),
    )
    return next((Unclear(kind, phrase) for kind, phrase in found if phrase), None)


def may_lack(question: str) -> bool:
    """Whether its words can be read for what is missing: a story of everyday life, not too long, and no mathematics."""
    return len(question) <= _LONGEST and not _MATHEMATICS.search(question)


def asks_an_amount(question: str) -> bool:
    """Whether a story about somebody else ends by asking how many, how much, what the total is, …"""
    return _AMOUNT_ASKED.search(_TITLE.sub(r"\1", question)) is not None and not _ABOUT_ONESELF.search(question)


def _lacks_numbers(question: str) -> bool:
    """A story of at most one amount, about somebody else, that ends by asking for another one."""
    if not _HOW_MANY.search(question) or not _SENTENCE.search(question) or _ABOUT_ONESELF.search(question):
        return False
    return len(_AMOUNT.findall(question)) <= 1 and any(character.isdigit() for character in question)


def _start_of_asking(question: str) -> int:
    starts = [match.start() for match in _ASKS.finditer(question)]
    return starts[-1] if starts else len(question)


def _counted(question: str) -> set[str]:
    """The things that a number stands before somewhere: "several jugglers" may be 378 of them two sentences on."""
    return {_singular(word) for match in _COUNTED.finditer(question) for word in match.group(0).split()[1:]}


def _not_counted(pattern: re.Pattern[str], told: str, counted: set[str]) -> str:
    for match in pattern.finditer(told):
        if counted.isdisjoint(map(_singular, match.group("things").split())):
            return match.group(0)
    return ""


def _bound(question: str) -> str:
    match = _BOUND.search(question)
    return match.group(0) if match and not _CONDITION.search(question[: match.start()]) else ""


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match.group(0) if match else ""


def _singular(word: str) -> str:
    word = word.lower()
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and len(word) > 3 else word
