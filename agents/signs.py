"""Signs in the words of a question about a number that something it needs is missing, as numbers that can be weighed.

``agents.wording`` says what is unclear beyond doubt. These are weaker: none decides alone, and what each is worth is
learned (``routers.asking``).
"""

import re

from agents.problem import AnswerForm
from agents.wording import asks_an_amount, may_lack, unclear

_CARDINAL = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozen"
)
_NUMBER = re.compile(rf"\d[\d,]*(?:\.\d+)?|\b(?:{_CARDINAL})\b")
# Without "one", which stands for a thing more often than for an amount.
_AMOUNT = re.compile(
    rf"\d[\d,]*(?:\.\d+)?|\b(?:{_CARDINAL.removeprefix('one|')}|half|halves|thirds?|quarters?|fourths?|fifths?|tenths?|"
    r"once|twice|thrice|doubled?|tripled?|both|pair|couple|single|weekday|quarterly|daily|weekly|monthly|yearly)\b"
)
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_WORD = re.compile(r"[a-z']+")
_ASKING = re.compile(r"\b(?:how|what|calculate|find|determine)\b")
_BARE = re.compile(r"\bhow (?:many|much|long|far)\s*\?|\bwhat(?: percentage)?\s*\?")
_EXACT = re.compile(rf"\bexact(?:ly)?\b(?! (?:\$?\d|twice|half|the same|{_CARDINAL}))")
_MANY = re.compile(
    r"(?<!\bhow )(?<!\bas )(?<!\bso )(?<!\btoo )(?<!\bthat )(?<!\bnot )\bmany\b(?! more| as| (?:years|days|weeks)\b)"
)
_CERTAIN = re.compile(
    r"\b(?:certain (?:number|amount|sum|part|percent\w*|fraction|time|price)|random (?:number|amount)|unknown|"
    r"unspecified|undisclosed|sometimes)\b"
)
_BOUND = re.compile(
    r"\b(?:(?:more|less|fewer) than|at (?:least|most)|up to|over|under)\s+(?:\$?\s?\d[\d,.]*|a (?:half|third|quarter)|"
    r"half|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|fifty)\b(?! (?:years|of\b|times)|%| percent)"
)
# "5 more than 3" is a number, "no more than 3" a limit.
_DIFFERENCE = re.compile(rf"(?:\d|\b(?:{_CARDINAL}|no|not|how many|times|much))\s*(?:\w+ ){{0,2}}$")
_NEAR = 60
"""Characters before a bound that can make a difference of it."""
_SOME = re.compile(r"\bsome\b")
_SOME_WHAT = re.compile(r"\bsome (?:of (?:the|his|her|their|them|its)?\s?)?((?:[a-z'-]+ ?){1,2})")
# What tells how many "some" are: a sum or a rest that is given.
_SETTLES = re.compile(
    r"\b(?:now|left|total|altogether|in all|in the end|remain\w*|end(?:s|ed) up|initially|originally|at first|to begin|"
    r"in the beginning|at the start|if (?:\w+ ){1,3}(?:had|has|have|are|is|were|was)|into|each|equally)\b[^?]*\d|"
    r"\b(?:he|she|they|it|there) (?:had|has|have|had used|still needs?|needs?|stayed) (?:only )?\$?\d|"
    r"\bafter [^.?]{0,60}\bsome\b[^.?]{0,120}\d|\d[^.?]*\b(?:left|altogether|in all|in total|now)\b"
)
_REST = re.compile(r"\b(?:the rest|the others?|the remaining|the remainder)\b")
_PRICED = re.compile(r"\bsome (?:[a-z'-]+ ){1,3}(?:for|worth|that cost) \$?\d")
_COUNTED = re.compile(r"\d[\d,./%]*\s((?!more\b|of\b)[a-z'-]+(?: (?:of )?[a-z'-]+)?)")
_SHARED_REST = re.compile(r"\b(?:rest|remainder)\b[^.,?]{0,60}\b(?:or|and)\b")
_ASKED_THING = re.compile(
    r"\bhow many ((?:[a-z'-]+ ){0,3}?[a-z'-]+)(?=\s?[.,?]|\s(?:did|does|do|is|are|was|were|will|would|can|could|should|"
    r"has|have|had|in|on|at|of|from|per|to|with|she|he|they|it|left|there)\b)"
)
# Asked for without having been named: they belong to any story. Without their endings, as ``_stem`` leaves them.
_ANYTHING = re.compile(
    r"much|many|total|people|person|time|hour|minute|day|week|month|year|dollar|cent|money|mile|foot|feet|inch|item|"
    r"thing|way|piece|meter|second|student|kid|child|children|group|animal|pound|ounce|point|gram|kilogram|cup|liter|"
    r"dozen|gallon|centimeter|kilometer|milliliter|pint|boy|girl|man|men|woman|women|adult|pet|leg|bug|insect|fish|flower|"
    r"fruit|vegetable|letter|trip|load|pupil|of|in|on|at|did|doe|do|i|are|wa|were|will|would|he|she|they|we|it"
)
_QUALIFYING = {"more", "other", "different", "less", "fewer", "new", "full", "whole"}

SIGNS = (
    "unclear",
    "many",
    "certain",
    "bound",
    "some_open",
    "some_aside",
    "exact",
    "bare",
    "unnamed",
    "how_much",
    "one_number",
    "few_amounts",
    "two_amounts",
    "amounts_a_sentence",
    "rest",
    "shared_rest",
)
"""The names of what ``signs`` gives, in its order."""


def weighable(question: str, form: AnswerForm) -> bool:
    """Whether the signs of a question say anything: of a story that asks for an amount. What counts as free text may be
    one whose numbers are missing."""
    if form not in ("number", "text") or not may_lack(question):
        return False
    return asks_an_amount(question) or (form == "number" and any(map(str.isdigit, question)))


def signs(question: str) -> tuple[float, ...]:
    """One number for each of ``SIGNS``."""
    text = " ".join(re.sub(r"\s*\.\.+\s*|\.(?=[A-Z])", ". ", question).split())
    flagged = unclear(text, "number") is not None
    text = text.lower()
    sentences = [one for one in _SENTENCE.split(text) if one.strip(" .")]
    last = sentences[-1] if sentences else ""
    starts = [match.start() for match in _ASKING.finditer(text)]
    told, asked = (text[: starts[-1]], text[starts[-1] :]) if starts else (text, last)
    numbers = len(_NUMBER.findall(text))
    amounts = len(_AMOUNT.findall(text))
    some = bool(_SOME.search(told)) and not _settled(text[text.find("some") :])
    aside = some and not any(_words(what) & _words(asked) for what in _SOME_WHAT.findall(told))
    unknown = _CERTAIN.search(text)
    found = {
        "unclear": flagged,
        "many": bool(_MANY.search(told)),
        "certain": unknown is not None and not _SETTLES.search(text[unknown.end() :]),
        "bound": sum(not _difference(text, match.start()) for match in _BOUND.finditer(text)),
        "some_open": some and not aside,
        "some_aside": aside,
        "exact": bool(_EXACT.search(asked)),
        "bare": bool(_BARE.search(last)),
        "unnamed": _unnamed(asked, told),
        "how_much": "how much" in asked,
        "one_number": numbers == 1,
        "few_amounts": amounts < 2,
        "two_amounts": amounts == 2,
        "amounts_a_sentence": min(4.0, amounts / max(1, len(sentences))),
        "rest": bool(_REST.search(told)),
        "shared_rest": bool(_SHARED_REST.search(told)),
    }
    return tuple(float(found[name]) for name in SIGNS)


def _difference(text: str, start: int) -> bool:
    return _DIFFERENCE.search(text[max(0, start - _NEAR) : start]) is not None


def _settled(text: str) -> bool:
    """Whether a text that begins with "some" tells how many they are."""
    if _SETTLES.search(text) or _PRICED.search(text):
        return True
    match = _SOME_WHAT.search(text)
    things = _words(match.group(1)) if match else set()
    return any(things & _words(found.group(1)) for found in _COUNTED.finditer(text[match.end() :] if match else ""))


def _unnamed(asked: str, told: str) -> bool:
    """Whether it asks for a number of things that it has told nothing of."""
    match = _ASKED_THING.search(asked)
    things = [_stem(word) for word in _WORD.findall(match.group(1))] if match else []
    things = [thing for thing in things if thing not in _QUALIFYING]
    if not things or any(_ANYTHING.fullmatch(thing) for thing in things):
        return False
    return _words(told).isdisjoint(things)


def _words(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text) if len(word) > 2}


def _stem(word: str) -> str:
    if word.endswith("ves"):
        return word[:-3] + "f"
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
