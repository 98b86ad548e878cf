"""Numbers as models and people write them: ``$1,200.00``, ``18 dollars``, ``1/2``, ``50%``, ``\\frac{1}{2}``."""

import re
from dataclasses import dataclass
from fractions import Fraction

from tools.verifiers.latex import plain

# A number longer than this, or with a larger exponent, is an attack on the arithmetic rather than an answer.
_LONGEST = 200
_TOLERANCE = Fraction(5, 10**6)

_CURRENCY = r"[$€£¥₹]"
# Possessive (++), for what is searched may be thousands of digits that someone chose to make the search slow.
_DIGITS = r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d++)(?:\.\d*+)?|\.\d++"
_POWER = r"(?:[eE]|\s*(?:[x×*·]|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*)\{?\(?(?P<power>[+-]?\d{1,3})\)?\}?"
_FRACTION = r"(?P<top>\d++)\s*+/\s*+(?P<bottom>\d++)"
_MAGNITUDE = (
    rf"(?:{_CURRENCY}\s*)?(?P<inner>[-−]?)"
    rf"(?:(?:(?P<whole>\d++)\s++)?{_FRACTION}|(?P<digits>{_DIGITS})(?:{_POWER})?)"
)
_WHOLE_TEXT = re.compile(rf"(?:[a-zA-Z]\s*=\s*)?[≈~]?\s*(?P<sign>[-+−]?)\s*{_MAGNITUDE}\s*(?P<unit>[^\d=+*^<>|]*)")
# In running text a sign touches its number (else it is a bullet or a minus between two), and it follows no digit or
# letter (else it marks a range or joins words).
_IN_TEXT = re.compile(rf"(?<![\w.,/])(?P<sign>[-+−]?){_MAGNITUDE}(?P<unit>\s*%)?")
_UNIT = re.compile(r"[\s./%°²³'\"a-zA-Z€£¥₹$()-]*")


@dataclass(frozen=True)
class Number:
    """``value`` as written: 50 for ``50%``, with ``percent`` set."""

    value: Fraction
    percent: bool = False

    def equals(self, other: "Number") -> bool:
        """Equal up to rounding in the sixth digit; whole numbers exactly. ``50%`` equals ``50`` and ``0.5``."""
        if _close(self.value, other.value):
            return True
        if self.percent == other.percent:
            return False
        mine, yours = (n.value / 100 if n.percent else n.value for n in (self, other))
        return _close(mine, yours)

    def __str__(self) -> str:
        return _written(self.value) + ("%" if self.percent else "")


def number(text: str, units: bool = True) -> Number | None:
    """The number that ``text`` is, None if it is anything else; ``units`` allows words behind it."""
    text = plain(text)
    match = _WHOLE_TEXT.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or not _UNIT.fullmatch(match["unit"]):
        return None
    unit = match["unit"].strip(" .")
    if not units and unit not in ("", "%"):
        return None
    return _of(match, percent=unit.startswith("%") or unit.lower().startswith("percent"))


def numbers_in(text: str) -> list[Number]:
    """All numbers that occur in a text, in order."""
    found = (_of(m, percent=bool(m["unit"])) for m in _IN_TEXT.finditer(plain(text)) if len(m[0]) <= _LONGEST)
    return [each for each in found if each is not None]


def _of(match: re.Match[str], percent: bool) -> Number | None:
    if match["top"] is not None:
        if int(match["bottom"]) == 0:
            return None
        value = Fraction(int(match["top"]), int(match["bottom"])) + int(match["whole"] or 0)
    else:
        value = Fraction(match["digits"].replace(",", "").rstrip(".") or "0")
        value *= Fraction(10) ** int(match["power"] or 0)
    negative = (match["sign"] in ("-", "−")) != bool(match["inner"])
    return Number(-value if negative else value, percent)


def _close(left: Fraction, right: Fraction) -> bool:
    if left == right:
        return True
    if left.denominator == right.denominator == 1:
        return False
    return abs(left - right) <= _TOLERANCE * min(Fraction(1), max(abs(left), abs(right)))


def _written(value: Fraction) -> str:
    """As an integer or a decimal where one is exact, else as a fraction."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
