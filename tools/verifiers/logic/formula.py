"""Formulas of first-order logic over one kind of things: their types and their parser.

The language, in ASCII or in the usual signs: ``all x. F``, ``exists x. F``, ``not F``, ``F and G``, ``F xor G``,
``F or G``, ``F -> G``, ``F <-> G``, ``P(a, x)``, ``a = b``, ``a != b``, parentheses. It binds in that order, ``->`` to
the right; a quantifier with a dot reaches as far as it can, one without only over what follows at once, unless its
variable occurs after that.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Connective = Literal["and", "or", "xor", "implies", "iff"]
Quantifier = Literal["all", "exists"]


@dataclass(frozen=True, slots=True)
class Atom:
    """A predicate over terms; ``=`` is equality. Names are in lower case."""

    predicate: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Formula"


@dataclass(frozen=True, slots=True)
class Binary:
    connective: Connective
    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class Quantified:
    quantifier: Quantifier
    variable: str
    inner: "Formula"


Formula = Atom | Not | Binary | Quantified


class NotAFormula(ValueError):
    """The text is no formula of the language; the message says where it stops being one."""


_LONGEST = 2_000
_DEEPEST = 60
_TOKEN = re.compile(r"\s*(<->|<=>|->|=>|!=|\w+|[().,:;=~¬!&∧^|∨⊕→↔⇒⇔∀∃≠-])")
_WORDS = {
    **dict.fromkeys(("all", "forall", "every", "∀"), "all"),
    **dict.fromkeys(("exists", "exist", "some", "∃"), "exists"),
    **dict.fromkeys(("not", "~", "¬", "!", "-"), "not"),
    **dict.fromkeys(("and", "&", "∧", "^"), "and"),
    **dict.fromkeys(("or", "|", "∨"), "or"),
    **dict.fromkeys(("xor", "⊕"), "xor"),
    **dict.fromkeys(("->", "=>", "→", "⇒", "implies"), "implies"),
    **dict.fromkeys(("<->", "<=>", "↔", "⇔", "iff"), "iff"),
    **dict.fromkeys(("!=", "≠"), "!="),
}
_SIGNS: Mapping[Connective, str] = {"and": "and", "or": "or", "xor": "xor", "implies": "->", "iff": "<->"}
_NAME = re.compile(r"\w+$")
# A variable that nobody introduced is meant for everything, as textbooks write rules.
_VARIABLE = re.compile(r"[u-z]\d?$")
# From the loosest to the tightest.
_LEVELS: tuple[Connective, ...] = ("iff", "implies", "or", "xor", "and")


def parse(text: str) -> Formula:
    """The formula in ``text``. Raises ``NotAFormula``."""
    if len(text) > _LONGEST:
        raise NotAFormula(f"it is {len(text)} characters long, more than {_LONGEST}")
    parser = _Parser(_tokens(text))
    formula = parser.formula(0)
    parser.end()
    for variable in sorted(parser.free):
        formula = Quantified("all", variable, formula)
    return formula


def shown(formula: Formula) -> str:
    """The formula as ``parse`` reads it, with predicates in title case."""
    match formula:
        case Atom("=", (left, right)):
            return f"{left} = {right}"
        case Atom(predicate, terms):
            return f"{predicate.capitalize()}({', '.join(terms)})" if terms else predicate.capitalize()
        case Not(inner):
            return f"not {_within(inner)}"
        case Binary(connective, left, right):
            return f"{_within(left)} {_SIGNS[connective]} {_within(right)}"
        case Quantified(quantifier, variable, inner):
            return f"{quantifier} {variable}. ({shown(inner)})"


def _within(formula: Formula) -> str:
    return f"({shown(formula)})" if isinstance(formula, Binary | Quantified) else shown(formula)


def _tokens(text: str) -> list[str]:
    text = text.strip().rstrip(".;")
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NotAFormula(f"it has {text[position : position + 20]!r} in it")
        token = match[1].lower()
        found.append(_WORDS.get(token, token))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._bound: list[str] = []
        self._depth = 0
        self.free: set[str] = set()

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise NotAFormula(f"it goes on with {self._tokens[self._at]!r} where it should end")

    def formula(self, level: int) -> Formula:
        self._depth += 1
        if self._depth > _DEEPEST * len(_LEVELS):
            raise NotAFormula("it is nested too deeply")
        try:
            if level == len(_LEVELS):
                return self._single()
            connective = _LEVELS[level]
            left = self.formula(level + 1)
            while self._take(connective):
                if connective == "implies":
                    return Binary(connective, left, self.formula(level))
                left = Binary(connective, left, self.formula(level + 1))
            return left
        finally:
            self._depth -= 1

    def _single(self) -> Formula:
        if self._take("not"):
            return Not(self.formula(len(_LEVELS)))
        for quantifier in ("all", "exists"):
            if self._take(quantifier):
                return self._quantified("all" if quantifier == "all" else "exists")
        if self._take("("):
            inner = self.formula(0)
            self._expect(")")
            return inner
        return self._atom()

    def _quantified(self, quantifier: Quantifier) -> Formula:
        variables = [self._name()]
        while self._take(",") or (self._peek() and _VARIABLE.match(self._peek()) and self._peek(1) != "("):
            variables.append(self._name())
        dotted = self._take(".") or self._take(":")
        self._bound.extend(variables)
        start = self._at
        inner = self.formula(0 if dotted else len(_LEVELS))
        if not dotted and self._goes_on_about(variables):
            self._at = start
            inner = self.formula(0)
        del self._bound[-len(variables) :]
        for variable in reversed(variables):
            inner = Quantified(quantifier, variable, inner)
        return inner

    def _goes_on_about(self, variables: Sequence[str]) -> bool:
        """Whether the variables occur again before the parenthesis around this place closes."""
        depth = 0
        for token in self._tokens[self._at :]:
            depth += (token == "(") - (token == ")")
            if depth < 0:
                return False
            if token in variables:
                return True
        return False

    def _atom(self) -> Formula:
        name = self._name()
        if self._take("("):
            terms = [self._term(self._name())]
            while self._take(","):
                terms.append(self._term(self._name()))
            self._expect(")")
            return Atom(name, tuple(terms))
        if self._take("="):
            return Atom("=", (self._term(name), self._term(self._name())))
        if self._take("!="):
            return Not(Atom("=", (self._term(name), self._term(self._name()))))
        return Atom(name, ())

    def _term(self, name: str) -> str:
        if name not in self._bound and _VARIABLE.match(name):
            self.free.add(name)
        return name

    def _name(self) -> str:
        token = self._peek()
        if not token or not _NAME.match(token) or token in set(_WORDS.values()):
            raise NotAFormula(f"there is {token or 'its end'!r} where a name should be")
        self._at += 1
        return token

    def _peek(self, ahead: int = 0) -> str:
        return self._tokens[self._at + ahead] if self._at + ahead < len(self._tokens) else ""

    def _take(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._at += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise NotAFormula(f"there is {self._peek() or 'its end'!r} where {token!r} should be")
