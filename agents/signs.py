"""Signs in the words of a question about a number that something it needs is missing, as numbers that can be weighed.

``agents.wording`` says what is unclear beyond doubt. These are weaker: none decides alone, and what each is worth is
learned (``routers.asking``).
"""

import math
import re

from agents.problem import AnswerForm
from agents.wording import asks_an_amount, may_lack, unclear

_AMOUNT = re.compile(
    r"\d[\d,]*(?:\.\d+)?|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    r"fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|"
    r"thousand|dozen|half|halves|thirds?|quarters?|fourths?|fifths?|tenths?|once|twice|thrice|double|doubled|triple|"
    r"tripled|both|pair|couple|single|weekday|quarterly|daily|weekly|monthly|yearly)\b"
)
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?")
_RELATION = re.compile(r"\b(?:twice|times|half|thirds?|quarter|fourth|fifth|ratio|percent|double|triple)\b|%")
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_WORD = re.compile(r"[a-z']+")
_ASKING = re.compile(r"\b(?:how|what|calculate|find|determine)\b")
_BARE = re.compile(r"\bhow (?:many|much|long|far)\s*\?|\bwhat(?: percentage)?\s*\?")
_ASKED_THING = re.compile(r"\bhow many (?:more |other |fewer )?([a-z'-]+)")
_MANY = re.compile(r"(?<!how )(?<!as )(?<!so )(?<!too )(?<!that )(?<!not )\bmany\b(?! more| as| times (?:as|more))")
_VAGUE = re.compile(
    r"\b(?:several|numerous|various|(?:dozens|hundreds|thousands|plenty|lots|a lot|a bunch) of|a few|"
    r"part of|a bit|a small amount|once or twice|a number of)\b(?! equals?| equal)"
)
_CERTAIN = re.compile(r"\b(?:certain|unknown|random(?:ly)?|sometimes|unspecified|undisclosed)\b")
_ABOUT = re.compile(
    r"\b(?:about|around|almost|nearly|approximately|roughly|or so)\b(?= (?:\$?\d|an? |half|one|two|ten))"
)
_BOUND = re.compile(
    r"\b(?:(?:more|less|fewer) than|at (?:least|most)|up to|over|under)\s+(?:\$?\s?\d[\d,.]*|a (?:half|third|quarter)|"
    r"half|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|fifty)\b(?! (?:years|of\b|times)|%| percent)"
)
_BETWEEN = re.compile(r"\bbetween \d[\d,.]* and \d|\b\d[\d,.]* (?:to|or|-) \d")
_SOME = re.compile(r"\bsome\b(?! of)")
# What tells how many "some" are: a sum or a rest that is given.
_SETTLES = re.compile(
    r"\b(?:now|left|total|altogether|in all|in the end|remain\w*|end(?:s|ed) up|initially|originally|at first|to begin|"
    r"in the beginning|at the start|if (?:\w+ ){1,3}(?:had|has|have|are|is|were|was)|into|each|equally)\b[^?]*\d|"
    r"\bafter [^.?]{0,60}\bsome\b[^.?]{0,120}\d|\d[^.?]*\b(?:left|altogether|in all|in total|now)\b"
)
_REST = re.compile(r"\b(?:the rest|the others?|the remaining|the remainder)\b")
_MONEY_ASKED = re.compile(
    r"\bhow much (?:money|cash|does|did|do|will|would|is|was|should|change)\b[^?]*\b(?:cost|price|earn|spend|pay|make|"
    r"money|profit|save|worth|charge|change|raise)"
)
_MONEY = re.compile(r"[$€£]|\b(?:dollars?|cents?|pounds|euros?|quarters|dimes|nickels|pennies|bucks|percent)\b|%")

# Asked for without having been named: they belong to any story.
_ANYTHING = re.compile(
    r"more|much|many|total|people|person|time|hour|minute|day|week|month|year|dollar|cent|money|mile|foot|feet|inch|item|"
    r"thing|other|different|pound|ounce|point|way|piece|meter|second|student|kid|child|children|group|animal|less|fewer|"
    r"of|in|on|at|did|does|do|is|are|was|were|will|would"
)

SIGNS = (
    "unclear",
    "many",
    "vague",
    "certain",
    "about",
    "bound",
    "between",
    "some_settled",
    "some_open",
    "bare",
    "unnamed",
    "priceless",
    "how_much",
    "no_digits",
    "one_number",
    "two_numbers",
    "few_amounts",
    "amounts_a_sentence",
    "relation",
    "rest",
    "either",
    "length",
)
"""The names of what ``signs`` gives, in its order."""


def weighable(question: str, form: AnswerForm) -> bool:
    """Whether the signs of a question say anything: of a story that asks for an amount. What counts as free text may be
    one whose numbers are missing."""
    if form not in ("number", "text") or not may_lack(question):
        return False
    return asks_an_amount(question) or (form == "number" and _DIGITS.search(question) is not None)


def signs(question: str) -> tuple[float, ...]:
    """One number for each of ``SIGNS``."""
    text = " ".join(re.sub(r"\s*\.\.+\s*|\.(?=[A-Z])", ". ", question).split())
    flagged = unclear(text, "number") is not None
    text = text.lower()
    sentences = [one for one in _SENTENCE.split(text) if one.strip(" .")]
    last = sentences[-1] if sentences else ""
    starts = [match.start() for match in _ASKING.finditer(text)]
    told, asked = (text[: starts[-1]], text[starts[-1] :]) if starts else (text, last)
    numbers = len(_DIGITS.findall(text))
    amounts = len(_AMOUNT.findall(text))
    some = bool(_SOME.search(told))
    settled = some and bool(_SETTLES.search(text[text.find("some") :]))
    found = {
        "unclear": flagged,
        "many": bool(_MANY.search(told)),
        "vague": len(_VAGUE.findall(told)),
        "certain": bool(_CERTAIN.search(text)),
        "about": bool(_ABOUT.search(text)),
        "bound": len(_BOUND.findall(text)),
        "between": bool(_BETWEEN.search(text)),
        "some_settled": settled,
        "some_open": some and not settled,
        "bare": bool(_BARE.search(last)),
        "unnamed": _unnamed(asked, told),
        "priceless": bool(_MONEY_ASKED.search(asked)) and not _MONEY.search(told),
        "how_much": "how much" in asked,
        "no_digits": numbers == 0,
        "one_number": numbers == 1,
        "two_numbers": numbers == 2,
        "few_amounts": amounts < 2,
        "amounts_a_sentence": min(4.0, amounts / max(1, len(sentences))),
        "relation": bool(_RELATION.search(text)),
        "rest": bool(_REST.search(told)),
        "either": bool(re.search(r"\bor\b", told)),
        "length": math.log(len(text.split()) + 1),
    }
    return tuple(float(found[name]) for name in SIGNS)


def _unnamed(asked: str, told: str) -> bool:
    """Whether it asks for a number of things that it has told nothing of."""
    match = _ASKED_THING.search(asked)
    thing = _stem(match.group(1)) if match else ""
    return bool(thing) and not _ANYTHING.fullmatch(thing) and thing not in _words(told)


def _words(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text) if len(word) > 3}


def _stem(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
