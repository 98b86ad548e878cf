"""Which questions the playbook is tried on, and in which order."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.gym_questions import gym_questions
from bench.questions import Question, read_questions

_SEED = 6
_FULL = 150
_HELD_BACK = 5


@dataclass(frozen=True, slots=True)
class Family:
    """Questions of one kind: of a data set, of a subtask of it, or of reasoning-gym. ``streamed`` of them are asked
    while the playbook learns."""

    name: str
    streamed: int
    dataset: str = ""
    subtask: str = ""


SEEN = (
    Family("gsm8k", 30, "gsm8k_test"),
    Family("gcd", 30),
    Family("leg_counting", 26),
    Family("prontoqa", 26, "prontoqa"),
    Family("simple_equations", 26),
    Family("temporal_sequences", 12, "bbh", "temporal_sequences"),
)
UNSEEN = (
    Family("svamp", 0, "svamp"),
    Family("date_understanding", 0, "bbh", "date_understanding"),
    Family("simple_geometry", 0),
    Family("lcm", 0),
    Family("count_bits", 0),
)
_UNSEEN_EACH = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the family that it is of."""

    family: str
    question: Question


@dataclass(frozen=True, slots=True)
class Stream:
    """``streamed`` in the order in which they are asked; the playbook learns from none of the others."""

    streamed: Sequence[Asked]
    held_back: Sequence[Asked]
    unseen: Sequence[Asked]


def build_stream(data: Path, cache: Path, rows: int, gym: bool, say: Callable[[str], None]) -> Stream:
    """The first ``rows`` of the stream, and of the others as much less as that is less than all of it. Raises
    ``NoQuestions``."""
    share = min(1.0, rows / _FULL)
    seen = [family for family in SEEN if gym or family.dataset]
    unseen = [family for family in UNSEEN if gym or family.dataset]
    needed = {family.name: family.streamed + _HELD_BACK for family in seen}
    needed |= {family.name: _UNSEEN_EACH for family in unseen}
    found = _questions(data, cache, (*seen, *unseen), needed, say)
    streamed = [Asked(family.name, question) for family in seen for question in found[family.name][: family.streamed]]
    random.Random(_SEED).shuffle(streamed)
    held_back = [
        Asked(family.name, question)
        for family in seen
        for question in found[family.name][family.streamed :][: _scaled(_HELD_BACK, share)]
    ]
    others = [
        Asked(family.name, question)
        for family in unseen
        for question in found[family.name][: _scaled(_UNSEEN_EACH, share)]
    ]
    return Stream(streamed[:rows], held_back, others)


def _questions(
    data: Path, cache: Path, families: Sequence[Family], needed: Mapping[str, int], say: Callable[[str], None]
) -> dict[str, list[Question]]:
    made = gym_questions(cache, {each.name: needed[each.name] for each in families if not each.dataset}, say)
    read = {each.name: _read(data, each, needed[each.name]) for each in families if each.dataset}
    return {**made, **read}


def _read(data: Path, family: Family, rows: int) -> list[Question]:
    def wanted(question: Question) -> bool:
        return not family.subtask or question.subtask == family.subtask

    return read_questions(data, family.dataset, rows, wanted)


def _scaled(count: int, share: float) -> int:
    return max(1, round(count * share))
