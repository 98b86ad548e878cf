"""Whether an answer can be what is asked for: a count is whole, a size is not below zero, sums of school and shop come
out even, and of choices it is one. It says nothing of the many wrong answers that could be."""

import math
import re

from pydantic import BaseModel, ConfigDict

_COUNT = re.compile(
    r"\bhow many\s+(?!(?:more |fewer |less )?"
    r"(?:hours?|minutes?|seconds?|days?|weeks?|months?|years?|miles?|kilomet\w+|km|met(?:er|re)s?|centimet\w+|feet|foot|"
    r"inches|yards?|gallons?|lit(?:er|re)s?|quarts?|pints?|cups?|ounces?|pounds?|tons?|grams?|kilograms?|kg|"
    r"dollars?|cents?|euros?|percent|degrees?|acres?|times|square|cubic)\b)",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"\bhow (?:many|much|long|far|old|tall|high|wide|deep|fast|heavy|big|large|often)\b|"
    r"\b(?:difference|distance|age|area|volume|perimeter|price|cost|speed|weight|length|height)\b",
    re.IGNORECASE,
)
_BELOW_ZERO = re.compile(
    r"(?<![\w)])[-−]\s?\d|"
    r"\b(?:below|minus|negative|temperature|degrees|elevation|altitude|sea level|balance|debt|owes?|profit|loss|"
    r"deficit|change in)\b",
    re.IGNORECASE,
)
_UNEVEN = re.compile(
    r"\b(?:average|mean|speed|rate|percent\w*|probability|likely|ratio|fraction|decimal|nearest|round\w*|root|circle|radius|"
    r"diameter|pi|interest|divided|quotient)\b|[%√π]|[-+*/×÷^]\s*\d",
    re.IGNORECASE,
)
_DECIMALS = re.compile(r"\d\.(\d+)")
# Parts of a thing that people count with: halves and quarters.
_PARTS = 4
_CENTS = 2
# Relative: what a float loses is no evidence.
_NOISE = 1e-9


class Bounds(BaseModel):
    """What a question says beforehand of its answer. Of a number ``whole``: things are counted, ``size``: it is not
    below zero, ``decimals``: it comes out even after so many, None where it need not. ``letters``: of the choices, of
    which it is one; none where there is nothing to choose from."""

    model_config = ConfigDict(frozen=True)

    whole: bool = False
    size: bool = False
    decimals: int | None = None
    letters: tuple[str, ...] = ()


def bounds_of(question: str, asked: str) -> Bounds:
    """``asked`` is the part of ``question`` that says what is wanted."""
    uneven = _UNEVEN.search(question) is not None
    places = max((len(found) for found in _DECIMALS.findall(question)), default=0)
    return Bounds(
        whole=_COUNT.search(asked) is not None and not uneven and places == 0,
        size=_SIZE.search(asked) is not None and _BELOW_ZERO.search(question) is None,
        decimals=None if uneven else places + _CENTS,
    )


def implausible(value: str | None, bounds: Bounds) -> str | None:
    """Why this can hardly be what is asked for; None where nothing speaks against it."""
    if bounds.letters and value is not None and value not in bounds.letters:
        return f"{value} is none of {', '.join(bounds.letters)}"
    number = _number(value)
    if number is None:
        return None
    if bounds.size and number < 0:
        return f"{value} is below zero, which what is asked for cannot be"
    if bounds.whole and _off(number * _PARTS, 0):
        return f"{value} is not a whole number, and things are counted"
    if bounds.decimals is not None and _off(number, bounds.decimals):
        return f"{value} does not come out even"
    return None


def _off(number: float, decimals: int) -> bool:
    """Whether the number has more decimals than these."""
    return abs(round(number, decimals) - number) > _NOISE * max(1.0, abs(number))


def _number(value: str | None) -> float | None:
    try:
        number = math.nan if value is None else float(value.replace(",", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
