"""Sentences into formulas: the model translates, line by line, and what it writes is parsed as data."""

import re
from collections.abc import Iterator, Sequence

from agents.prompts import render
from agents.strategy import SolveContext, write
from tools.verifiers.logic.formula import Formula, NotAFormula, parse, shown
from workers.engines.protocol import Sampling
from workers.messages import Message

_LINE = re.compile(r"^[^\S\n]*(\d{1,3})[.):]\s*(.+)$", re.MULTILINE)
_DECORATION = "`$* "
_SAID = re.compile(r"^\w+ (?:is|are) (?P<no>not )?(?:an? )?(?P<atom>\w+\(\w+(?:, ?\w+)*\))\.?$", re.IGNORECASE)


async def formalised(
    sentences: Sequence[str], known: Sequence[Formula | None], context: SolveContext, sampling: Sampling
) -> tuple[tuple[Formula | None, ...], float | None]:
    """A formula for each sentence, None where the model wrote none that can be read, and the mean log-probability of
    the translation. The ``known`` formulas, None for a sentence without one, are shown to the model, which goes on with
    the others in the same words; where all are known it is not asked. Raises ``BudgetSpent``."""
    if None not in known:
        return tuple(known), None
    order = sorted(range(len(sentences)), key=lambda index: known[index] is None)
    numbered = "\n".join(f"{number}. {sentences[index]}" for number, index in enumerate(order, 1))
    given = "\n".join(
        f"{number}. {sentences[index]} := {shown(formula)}"
        for number, index in enumerate(order, 1)
        if (formula := known[index]) is not None
    )
    prompt = render("formalise", sentences=numbered, formulas=given)
    completion = await write(
        context, context.writer(), (Message(role="user", content=prompt),), sampling, purpose="translate into logic"
    )
    lines = {int(number): text.strip() for number, text in _LINE.findall(completion.text)}
    found = list(known)
    for number, index in enumerate(order, 1):
        if found[index] is None:
            found[index] = _read(lines.get(number))
    return tuple(found), completion.mean_logprob()


def _read(line: str | None) -> Formula | None:
    if line is None:
        return None
    # The sentence is repeated ahead of its formula, which keeps a small model from losing its place.
    for candidate in _mended(line.rpartition(":=")[2].strip(_DECORATION)):
        try:
            return parse(candidate)
        except NotAFormula:
            continue
    return None


def _mended(line: str) -> Iterator[str]:
    """The line, and then what small models mean by a closing parenthesis too many and by "Tom is Kind(tom)"."""
    yield line
    excess = line.count(")") - line.count("(")
    bare = line.rstrip(". ")
    if 0 < excess <= 2 and bare.endswith(")" * excess):
        yield bare[:-excess]
    if (said := _SAID.match(line)) is not None:
        yield f"{'not ' if said['no'] else ''}{said['atom']}"
