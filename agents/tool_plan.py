"""The plan of ``plan-tools``: its lines, which steps rest on which, and what goes into a step's input."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.verifiers.extract import final_answer

_PLAN = re.compile(r"^\W*plan\W*\s(?P<purpose>.+)$", re.IGNORECASE)
_STEP = re.compile(r"^\W*?#?(?P<name>E\d+)\s*=\s*(?P<tool>[\w-]+)\s*\[(?P<input>.*)\]\W*$", re.IGNORECASE)
_REFERENCE = re.compile(r"#?\b(E\d+)\b")
_LONGEST_INPUT = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """``name`` is "E1" and so on; ``needs`` are the names of the steps whose results the input takes."""

    name: str
    tool: str
    input: str
    purpose: str

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(_REFERENCE.findall(self.input))


def read_plan(text: str, most: int) -> list[Step]:
    """The first ``most`` steps of a plan, as far as they can be read; of two with one name the first."""
    steps: dict[str, Step] = {}
    purpose = ""
    for line in text.splitlines():
        if (match := _STEP.match(line.strip())) is not None:
            name = match["name"].upper()
            steps.setdefault(name, Step(name, match["tool"].lower(), match["input"][:_LONGEST_INPUT], purpose))
            purpose = ""
        elif (plan := _PLAN.match(line.strip())) is not None:
            purpose = plan["purpose"].strip()
    return list(steps.values())[:most]


def ready(steps: Sequence[Step], found: Mapping[str, str]) -> list[Step]:
    """Steps that can run now: not yet run, and all that they rest on has been. References to no step hold nothing up;
    of steps that rest on each other in a circle the first goes ahead."""
    names = {step.name for step in steps}
    waiting = [step for step in steps if step.name not in found]
    free = [step for step in waiting if not (step.needs & names) - set(found) - {step.name}]
    return free or waiting[:1]


def filled(step: Step, found: Mapping[str, str]) -> str:
    """The step's input with earlier results in their places: for a calculation the number that they end in."""

    def result(match: re.Match[str]) -> str:
        text = found.get(match[1])
        if text is None:
            return match[0]
        if step.tool != "calculate":
            return text
        return f"({final_answer(text, 'number') or text})"

    return _REFERENCE.sub(result, step.input)
