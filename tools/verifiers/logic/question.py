"""Questions of deduction: premises, a statement, and whether it is true, false or uncertain."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Truth = Literal["true", "false", "uncertain"]

_CHOICE = re.compile(r"^[ \t]*\(?([A-F])[.):][ \t]+(.+)$", re.MULTILINE)
# Every gap is bounded or possessive (++), for the question may be written to make the search slow.
_ASKED = re.compile(
    r"(?:based on the above[^.?\n]{0,200},\s*+)?(?:is|determine (?:if|whether)|decide (?:if|whether))\s++"
    r"the following\s++(?:statement|conclusion)(?>[^.?\n]{0,200}?\btrue\b)[^?.:\n]{0,200}+[?.:]\s*+(?P<one>.+)"
    r"|\btrue or false(?:\s*+(?:,\s*+)?or (?:unknown|uncertain))?\s*+[:?]\s*+(?P<two>.+)",
    re.IGNORECASE | re.DOTALL,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_UNCERTAIN = re.compile(
    r"^(?:unknown|uncertain|undetermined|neither|not enough information|cannot be (?:determined|said))"
)
_MOST_SENTENCES = 60
_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class LogicQuestion:
    """``letters`` maps a truth to the choice that says it; empty for a question without choices."""

    premises: tuple[str, ...]
    statement: str
    letters: Mapping[Truth, str] = field(default_factory=dict)

    @property
    def offers_uncertain(self) -> bool:
        return "uncertain" in self.letters


def find_logic(question: str) -> LogicQuestion | None:
    """The question's parts; None where it is no question of whether a statement follows from what is given."""
    if len(question) > _LONGEST:
        return None
    choices: dict[str, str] = dict(_CHOICE.findall(question))
    letters = {truth: letter for letter, text in choices.items() if (truth := _truth(text)) is not None}
    if choices and (len(letters) != len(choices) or not {"true", "false"} <= letters.keys()):
        return None
    text = _CHOICE.sub("", question)
    asked = _ASKED.search(text)
    if asked is None:
        return None
    statement = " ".join((asked["one"] or asked["two"]).split())
    premises = tuple(s.strip() for s in _SENTENCE.split(text[: asked.start()]) if len(s.split()) > 1)
    if not premises or not statement or len(premises) > _MOST_SENTENCES or len(_SENTENCE.split(statement)) > 1:
        return None
    return LogicQuestion(premises, statement, letters)


def _truth(text: str) -> Truth | None:
    plain = text.strip().rstrip(".").lower()
    if plain in ("true", "false"):
        return "true" if plain == "true" else "false"
    return "uncertain" if _UNCERTAIN.match(plain) else None
