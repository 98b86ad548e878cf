"""Finds the final answer in what a model or a program wrote."""

import re
from collections.abc import Iterator

from tools.verifiers.choice_texts import NO_CHOICES, Choices, chosen, concluded
from tools.verifiers.choices import affirms, last_letter, letter
from tools.verifiers.latex import boxed, plain
from tools.verifiers.numbers import number, numbers_in
from tools.verifiers.programs import code_block
from tools.verifiers.protocol import Form

# More than any answer needs; a longer text is searched from its end.
_SEARCHED = 20_000
_LONGEST_EXPRESSION = 200
_LONGEST_LINE = 1_000

_HASHES = re.compile(r"####\s*(.+)")
_ANSWER_IS = re.compile(
    r"(?:answer|result)\b[*_]*\s*(?:(?:to|of|for)\b[^.\n:]{0,80}?)?(?:\bis\b|:|=)[*_]*+\s*+:?\s*+(?P<rest>[^\n]+)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)")
_MATH = re.compile(r"\$\$?([^$]{1,500})\$\$?|\\\((.{1,500}?)\\\)|\\\[(.{1,500}?)\\\]", re.DOTALL)
_LABEL = re.compile(r"^(?:the\s+)?(?:final\s+)?(?:answer|result)\s*(?:\bis\b|[:=])\s*", re.IGNORECASE)


def final_answer(text: str, form: Form, choices: Choices = NO_CHOICES) -> str | None:
    """The answer that ``text`` ends in, in its plainest writing for ``form``; None if it holds none.

    A marked answer (``\\boxed{}``, ``####``, "the answer is") goes before the last number or letter of the text. With
    the question's ``choices`` one that is given in words is its letter, and a letter that is none of theirs no answer.
    """
    text = text[-_SEARCHED:]
    if form == "text":
        return text.strip() or None
    if form == "code":
        return code_block(text)
    for candidate in _marked(text):
        if (found := _read(candidate, form, choices)) is not None:
            return found
    return _unmarked(text, form, choices)


def program_output(stdout: str, form: Form = "text", choices: Choices = NO_CHOICES) -> str | None:
    """The last line that a program printed, without a label such as "Answer:"; None if it printed nothing. Where a
    number is wanted and the line is a sentence, the last number in it; where it says one of the ``choices``, its
    letter."""
    lines = [line.strip() for line in stdout.splitlines() if line.strip()]
    if not lines:
        return None
    output = _LABEL.sub("", lines[-1]).strip() or lines[-1]
    if form == "choice":
        return chosen(output[:_LONGEST_LINE], choices) or output
    if form != "number" or number(output) is not None:
        return output
    numbers = numbers_in(output[:_LONGEST_LINE])
    return str(numbers[-1]) if numbers else output


def _marked(text: str) -> Iterator[str]:
    if (content := boxed(text)) is not None:
        yield content
    if hashes := _HASHES.findall(text):
        yield hashes[-1]
    for match in reversed(list(_ANSWER_IS.finditer(text))):
        yield match["rest"].strip()


def _read(candidate: str, form: Form, choices: Choices) -> str | None:
    """The answer of the given form that a marked passage holds."""
    if form == "number":
        return _number(candidate)
    if form == "choice":
        return chosen(candidate, choices) if choices else letter(candidate) or last_letter(candidate)
    if form == "yes-no":
        return _yes_no(affirms(candidate))
    inner = _last_math(candidate)
    return (plain(inner) if inner else plain(_first_sentence(candidate))) or None


def _unmarked(text: str, form: Form, choices: Choices) -> str | None:
    if form == "number":
        numbers = numbers_in(text)
        return str(numbers[-1]) if numbers else None
    if form == "choice":
        return concluded(text, choices) if choices else letter(text) or last_letter(text)
    if form == "yes-no":
        # An answer opens with its verdict, a derivation closes with it.
        opening = affirms(text.strip()[:6])
        sentences = [s for s in re.split(r"[.\n]", text) if affirms(s) is not None]
        return _yes_no(opening if opening is not None else affirms(sentences[-1]) if sentences else None)
    inner = _last_math(text)
    if inner is None and "\n" not in text.strip() and len(text) <= _LONGEST_EXPRESSION:
        inner = text
    return plain(inner) or None if inner else None


def _number(candidate: str) -> str | None:
    if (whole := number(candidate)) is not None:
        return str(whole)
    sentence = _first_sentence(candidate)
    found = numbers_in(sentence)
    if not found:
        return None
    # "5 + 3 = 8 apples" ends in its answer, "18 dollars a day, 126 a week" begins with it
    return str(found[-1] if "=" in sentence else found[0])


def _first_sentence(text: str) -> str:
    return _SENTENCE_END.split(text, maxsplit=1)[0].strip()


def _last_math(text: str) -> str | None:
    found = _MATH.findall(text)
    return next(filter(None, found[-1]), None) if found else None


def _yes_no(affirmed: bool | None) -> str | None:
    return None if affirmed is None else "yes" if affirmed else "no"
