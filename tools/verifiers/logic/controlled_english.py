"""Reads plain sentences of deduction into formulas, without a model: a small controlled English.

In the manner of Attempto Controlled English (Fuchs, Kaljurand and Kuhn 2008), what is read has exactly one reading;
everything else is left unread. The language has facts ("Tom is a cat", "The lion does not like the dog"), rules about
kinds ("Every cat is an animal", "Cats are animals", "All kind, green things are loud", "No cat is a dog", "Everyone
who is kind is loud") and conditions ("If someone likes the lion and they are kind then the lion is loud").
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tools.verifiers.logic.formula import Atom, Binary, Formula, Not, Quantified

_LONGEST = 300
_MOST_WORDS = 40
_LONGEST_NAME = 3
_VARIABLE = "x"

_SENTENCE = re.compile(r"[A-Za-z][A-Za-z', -]*+[.!]?")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*|,")

_EVERY = frozenset({"every", "each", "all", "any"})
_SOMEBODY = frozenset({"someone", "somebody", "anyone", "anybody"})
_SOMETHING = frozenset({"something", "anything"})
_EVERYBODY = frozenset({"everyone", "everybody", "everything"})
_FILLERS = frozenset({"people", "persons", "person", "things", "thing"})
_COPULAS = frozenset({"is", "are", "was", "were"})
_PLURAL = frozenset({"are", "were", "do"})
_IF = frozenset({"if", "when", "whenever"})
_OTHERS = """
a an the and or not no nor then either neither both but only unless does do did has have had be been being can could may
might must shall should will would they them it he him she her we us you i who whom whose which that this these those
there here some none nobody nothing most many much few several more less least other another same such also too very
always never often usually sometimes of to in on at by for from with without than as because since while whether what
how why where so one ones
"""
# What no kind, thing or verb is called: a sentence with such a word where the grammar has no place for it is not read.
_CLOSED = _EVERY | _SOMEBODY | _SOMETHING | _EVERYBODY | _FILLERS | _COPULAS | _IF | frozenset(_OTHERS.split())

_Kind = Literal["person", "thing"]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a pronoun may mean: somebody or something introduced before, or else the last thing with a name."""

    introduced: _Kind | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause that ends before ``end``; ``subject`` and ``copular`` are what "and green" after it goes on from."""

    meaning: Formula
    end: int
    scope: _Scope
    subject: str
    copular: bool


def read(sentence: str) -> Formula | None:
    """The formula that says what ``sentence`` says; None where it is not certainly of the language. Predicates and
    things are called by the sentence's own words, in lower case."""
    sentence = sentence.strip()
    if len(sentence) > _LONGEST or not _SENTENCE.fullmatch(sentence):
        return None
    words = _WORD.findall(sentence)
    if len(words) > _MOST_WORDS:
        return None
    readings = list(dict.fromkeys(_Reader(words).sentence()))
    return readings[0] if len(readings) == 1 else None


def read_all(sentences: Sequence[str]) -> tuple[Formula | None, ...]:
    """``read`` of each."""
    return tuple(read(sentence) for sentence in sentences)


class _Reader:
    def __init__(self, words: Sequence[str]) -> None:
        self._shown = tuple(words)
        self._words = tuple(word.lower() for word in words)

    def sentence(self) -> Iterator[Formula]:
        if self._at(0) in _IF:
            yield from self._condition()
        else:
            yield from self._about_a_kind()
            yield from self._fact()

    def _condition(self) -> Iterator[Formula]:
        """ "If … then …", or with a comma in place of "then"."""
        thens = [index for index, word in enumerate(self._words) if word == "then"]
        splits = thens or [index for index, word in enumerate(self._words) if word == ","]
        if len(thens) > 1:
            return
        for split in splits:
            before = split - 1 if self._at(split - 1) == "," else split
            for given, scope in self._clauses(1, before, _Scope()):
                for follows, after in self._clauses(split + 1, len(self._words), scope):
                    if after.introduced == scope.introduced:
                        yield _for_all(Binary("implies", given, follows), scope)

    def _fact(self) -> Iterator[Formula]:
        for clause in self._clause(0, _Scope()):
            if clause.end == len(self._words):
                # "Someone is loud" says that there is one, "anyone is loud" is not of the language.
                if clause.scope.introduced is None:
                    yield clause.meaning
                elif self._at(0) in ("someone", "somebody", "something"):
                    yield Quantified("exists", _VARIABLE, clause.meaning)

    def _about_a_kind(self) -> Iterator[Formula]:
        first = self._at(0)
        if first in _EVERYBODY:
            yield from self._kind_is(None, 1, first)
        elif first in _EVERY | {"no", "some"}:
            for kind, end in self._kind(1):
                yield from self._kind_is(kind, end, first)
        elif first != "the":
            for kind, end in self._kind(0):
                # A bare plural: "cats are animals", but not "Tom is an animal".
                if self._at(end) == "are":
                    yield from self._kind_is(kind, end, "all")

    def _kind_is(self, kind: Formula | None, end: int, quantifier: str) -> Iterator[Formula]:
        """What is said of a kind, narrowed down by "who is …" or "that are …"."""
        for narrowed, start in self._narrowed(kind, end):
            for said, stop, _ in self._predicate(start, _VARIABLE, _Scope()):
                if stop != len(self._words):
                    continue
                if narrowed is None:
                    yield Quantified("all", _VARIABLE, said)
                elif quantifier == "some":
                    yield Quantified("exists", _VARIABLE, Binary("and", narrowed, said))
                elif quantifier == "no":
                    if not isinstance(said, Not):
                        yield Quantified("all", _VARIABLE, Binary("implies", narrowed, Not(said)))
                else:
                    yield Quantified("all", _VARIABLE, Binary("implies", narrowed, said))

    def _narrowed(self, kind: Formula | None, end: int) -> Iterator[tuple[Formula | None, int]]:
        if self._at(end) not in ("who", "that"):
            yield kind, end
            return
        for said, stop, _ in self._predicate(end + 1, _VARIABLE, _Scope()):
            yield said if kind is None else Binary("and", kind, said), stop

    def _kind(self, start: int) -> Iterator[tuple[Formula, int]]:
        """ "cat", "kind people", "kind, green things". Two words that no comma and no "people" binds are not read: a
        toy lion is no lion."""
        qualities: list[Formula] = []
        index = start
        while self._open(index):
            qualities.append(Atom(self._at(index), (_VARIABLE,)))
            index += 1
            if self._at(index) in _FILLERS:
                yield _all_of(qualities), index + 1
                return
            if self._at(index) not in (",", "and"):
                break
            index += 1
        if len(qualities) == 1:
            yield qualities[0], index

    def _clauses(self, start: int, stop: int, scope: _Scope) -> Iterator[tuple[Formula, _Scope]]:
        """Clauses from ``start`` to ``stop``, bound by "and"."""
        for clause in self._clause(start, scope):
            yield from self._going_on(clause, stop)

    def _going_on(self, clause: _Clause, stop: int) -> Iterator[tuple[Formula, _Scope]]:
        if clause.end == stop:
            yield clause.meaning, clause.scope
        if clause.end >= stop or self._at(clause.end) != "and":
            return
        for following in self._after_and(clause):
            joined = Binary("and", clause.meaning, following.meaning)
            yield from self._going_on(replace(following, meaning=joined), stop)

    def _after_and(self, clause: _Clause) -> Iterator[_Clause]:
        """A whole clause, or what the subject of the one before goes on with: "and likes the dog", "and green"."""
        start = clause.end + 1
        yield from self._clause(start, clause.scope)
        for said, end, copular in self._predicate(start, clause.subject, clause.scope):
            yield _Clause(said, end, clause.scope, clause.subject, copular)
        if clause.copular:
            for said, end in self._complement(start, clause.subject):
                yield _Clause(said, end, clause.scope, clause.subject, True)

    def _clause(self, start: int, scope: _Scope) -> Iterator[_Clause]:
        for subject, end, heard in self._subject(start, scope):
            for said, stop, copular in self._predicate(end, subject, heard):
                yield _Clause(said, stop, heard, subject, copular)

    def _subject(self, start: int, scope: _Scope) -> Iterator[tuple[str, int, _Scope]]:
        word = self._at(start)
        if word in _SOMEBODY | _SOMETHING:
            kind: _Kind = "person" if word in _SOMEBODY else "thing"
            if scope.introduced is None:
                yield _VARIABLE, start + 1, replace(scope, introduced=kind)
        elif word in ("they", "it", "he", "she"):
            meant = _meant(word, scope)
            if meant is not None:
                yield meant, start + 1, scope
        else:
            for name, end in self._named(start):
                # "Cats are animals" is about a kind, not about somebody called Cats.
                if word == "the" or self._at(end) not in _PLURAL:
                    yield name, end, replace(scope, last=name)

    def _named(self, start: int) -> Iterator[tuple[str, int]]:
        """ "the bald eagle", or a name of one word that is written with a capital letter."""
        if self._at(start) == "the":
            for end in range(start + 2, start + 2 + _LONGEST_NAME):
                if all(self._open(index) for index in range(start + 1, end)):
                    yield "_".join(self._words[start + 1 : end]), end
        elif self._open(start) and self._shown[start][0].isupper():
            yield self._words[start], start + 1

    def _predicate(self, start: int, subject: str, scope: _Scope) -> Iterator[tuple[Formula, int, bool]]:
        """What is said of ``subject``, where it ends, and whether a copula says it."""
        word = self._at(start)
        if word in _COPULAS:
            for said, end in self._complement(start + 1, subject):
                yield said, end, True
        elif word in ("does", "do") and self._at(start + 1) == "not":
            for said, end in self._verb(start + 2, subject):
                yield Not(said), end, False
        else:
            for said, end in self._verb(start, subject):
                yield said, end, False

    def _complement(self, start: int, subject: str) -> Iterator[tuple[Formula, int]]:
        """ "not kind", "a cat"."""
        denied = self._at(start) == "not"
        index = start + denied
        index += self._at(index) in ("a", "an")
        if self._open(index):
            said = Atom(self._at(index), (subject,))
            yield Not(said) if denied else said, index + 1

    def _verb(self, start: int, subject: str) -> Iterator[tuple[Formula, int]]:
        """ "likes the dog"."""
        if self._open(start):
            for thing, end in self._named(start + 1):
                yield Atom(self._at(start), (subject, thing)), end

    def _at(self, index: int) -> str:
        return self._words[index] if 0 <= index < len(self._words) else ""

    def _open(self, index: int) -> bool:
        """Whether a kind, a thing or a verb can be called by the word there."""
        word = self._at(index)
        return word not in _CLOSED and word not in ("", ",") and word != _VARIABLE


def _meant(pronoun: str, scope: _Scope) -> str | None:
    """Whom a pronoun means; None where that is not certain."""
    if scope.introduced is None:
        return scope.last
    fits = {"person": ("they", "he", "she"), "thing": ("they", "it")}[scope.introduced]
    return _VARIABLE if pronoun in fits else None


def _for_all(formula: Formula, scope: _Scope) -> Formula:
    return formula if scope.introduced is None else Quantified("all", _VARIABLE, formula)


def _all_of(formulas: Sequence[Formula]) -> Formula:
    whole = formulas[0]
    for formula in formulas[1:]:
        whole = Binary("and", whole, formula)
    return whole
