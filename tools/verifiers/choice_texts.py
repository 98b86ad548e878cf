"""The choices that a question names, and which of them an answer in words is."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tools.verifiers.choices import last_letter, letter
from tools.verifiers.latex import plain
from tools.verifiers.numbers import Number, number

Choices = Mapping[str, str]
"""What each choice says, by its letter; empty where a question names none."""

NO_CHOICES: Choices = MappingProxyType({})

_CHOICE = re.compile(r"^[^\S\n]*\(?([A-J])(?:[.:][^\S\n]+|\)[^\S\n]*)(\S[^\n]*)$", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_MARKUP = str.maketrans({**dict.fromkeys('*_`$(){}[]\\"“”', " "), "’": "'"})
_PAUSE = re.compile(r"([,;:])(?=\s|$)")
_PAUSES = frozenset(",;:")
_FORMULA = frozenset("=+^<>|\\{}")
_OPERATORS = frozenset("+-/×÷^<>")
# Words after which a clause does not say what it names.
_DOUBTS = frozenset({"not", "cannot", "never", "neither", "nor", "no", "without", "if", "whether", "unless"})


def choices_in(question: str) -> Choices:
    """The choices at the end of a question, one a line, lettered from A on without a gap."""
    lists: list[dict[str, str]] = []
    for name, text in _CHOICE.findall(question):
        if name == "A":
            lists.append({})
        if lists and name == chr(ord("A") + len(lists[-1])):
            lists[-1][name] = text.strip()
    return next((found for found in reversed(lists) if len(found) > 1), NO_CHOICES)


def chosen(answer: str, choices: Choices) -> str | None:
    """The letter of the choice that a short answer is; None where it is none of them or might be several.

    Its letter goes before its text, unless all of the answer is the text ("A, B and C"), and a whole text before one
    that stands among other words.
    """
    first, sentence = letter(answer), _SENTENCE.split(answer, maxsplit=1)[0]
    return (
        _whole(answer, choices)
        or (first if first in choices else None)
        or last_letter(answer, choices)
        or _said(sentence, choices)
        or mentioned(sentence, choices)
    )


def concluded(text: str, choices: Choices) -> str | None:
    """The letter of the choice that a longer text comes to without marking it as the answer."""
    text = _without_list(text, choices)
    first = letter(text)
    return (
        _whole(text, choices)
        or (first if first in choices else None)
        or last_letter(text, choices)
        or mentioned(text, choices)
    )


def mentioned(text: str, choices: Choices) -> str | None:
    """The letter of the choice whose text stands as a phrase in the last sentence that has just one of them; None where
    that sentence denies it or leaves it open."""
    phrases = {name: " ".join(_words(plain(said))) for name, said in choices.items() if _is_phrase(said)}
    if not phrases:
        return None
    for sentence in reversed(_SENTENCE.split(text)):
        if sentence.rstrip().endswith("?"):
            continue
        words = f" {' '.join(_words(sentence))} "
        named = list(_widest({name: phrase for name, phrase in phrases.items() if _stands_in(words, phrase)}))
        if len(named) == 1:
            return None if _doubted(words, phrases[named[0]]) else named[0]
    return None


def _whole(answer: str, choices: Choices) -> str | None:
    """The choice that is all of an answer: its letter alone, or what it says."""
    name = letter(answer)
    return name if name in choices and len("".join(_words(plain(answer)))) == 1 else _said(answer, choices)


def _said(answer: str, choices: Choices) -> str | None:
    """The one choice that says the same as the whole answer: letter for letter, word for word, or as a number."""
    written = _bare(answer)
    found = [name for name, said in choices.items() if _bare(said) == written]
    if not found and _is_phrase(answer):
        words = _without_pauses(answer)
        found = [name for name, said in choices.items() if _is_phrase(said) and _without_pauses(said) == words]
    if not found:
        found = [name for name, said in choices.items() if _same_number(answer, said)]
    return found[0] if len(found) == 1 else None


def _same_number(answer: str, said: str) -> bool:
    """Whether both are the same number, of which one at most names a unit."""
    left, right = number(answer), number(said)
    if left is None or right is None or not left.equals(right):
        return False
    bare: list[Number | None] = [number(text, units=False) for text in (answer, said)]
    return any(each is not None for each in bare)


def _without_list(text: str, choices: Choices) -> str:
    """The text without the question's list of choices, where it repeats all of it."""
    repeated = {
        match[1]: match
        for match in reversed(list(_CHOICE.finditer(text)))
        if _bare(match[2]) == _bare(choices.get(match[1], ""))
    }
    if not choices or repeated.keys() != choices.keys():
        return text
    for match in sorted(repeated.values(), key=lambda each: each.start(), reverse=True):
        text = text[: match.start()] + text[match.end() :]
    return text


def _widest(phrases: Mapping[str, str]) -> Iterator[str]:
    """Those that are no part of another one."""
    for name, phrase in phrases.items():
        if not any(phrase != other and f" {phrase} " in f" {other} " for other in phrases.values()):
            yield name


def _stands_in(words: str, phrase: str) -> bool:
    """Whether the phrase stands among the words, and not as a term of a formula."""
    before, found, after = words.rpartition(f" {phrase} ")
    if not found:
        return False
    if phrase in _DOUBTS and after[:1] not in _PAUSES | {""}:
        return False  # "there is no reason to" is no answer
    return before[-1:] not in _OPERATORS and after[:1] not in _OPERATORS | {"="}


def _doubted(words: str, phrase: str) -> bool:
    """Whether something ahead of the phrase in its clause keeps the sentence from saying so."""
    before, _, _ = words.rpartition(f" {phrase} ")
    for word in reversed(before.split()):
        if word in _PAUSES:
            return False
        if word in _DOUBTS or word.endswith("n't"):
            return True
    return False


def _is_phrase(text: str) -> bool:
    """Whether a text is made of words: no formula, and no single character, which stands everywhere."""
    words = _words(plain(text))
    return not _FORMULA & set(plain(text)) and len("".join(words)) > 1


def _words(text: str) -> list[str]:
    """In small letters, without markup; pauses between clauses count as words."""
    spaced = _PAUSE.sub(r" \1 ", text.translate(_MARKUP)).casefold()
    return [bare for word in spaced.split() if (bare := word.strip(".!?'"))]


def _without_pauses(text: str) -> list[str]:
    return [word for word in _words(plain(text)) if word not in _PAUSES]


def _bare(text: str) -> str:
    return " ".join(plain(text).casefold().split()).strip(" .,;:!?")
