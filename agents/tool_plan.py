"""The plan of ``plan-tools``: its lines, which steps rest on which, and what goes into a step's input."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.verifiers.extract import final_answer

_PLAN = re.compile(r"^\W*plan\W*\s(?P<purpose>.+)$", re.IGNORECASE)
_STEP = re.compile(r"^\W*?#?(?P<name>E\d+)\s*=\s*(?P<tool>[\w-]+)\s*\[(?>(?P<input>.*)\])\W*$", re.IGNORECASE)
_REFERENCE = re.compile(r"#?\b(E\d+)\b")
_JSON_STRING = re.compile(r'("(?:[^"\\]|\\.)*")')
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
    """The step's input with earlier results in their places: in a calculation the numbers that they end in, in a JSON
    object so that it stays one."""
    if step.tool == "calculate":
        return _replaced(step.input, found, lambda result: f"({final_answer(result, 'number') or result})")
    if not step.input.lstrip().startswith("{"):
        return _replaced(step.input, found, str)
    # Every other part is a string in its quotes.
    return "".join(
        _replaced(part, found, _in_quotes if index % 2 else _as_value)
        for index, part in enumerate(_JSON_STRING.split(step.input))
    )


def _replaced(text: str, found: Mapping[str, str], write: Callable[[str], str]) -> str:
    return _REFERENCE.sub(lambda name: write(found[name[1]]) if name[1] in found else name[0], text)


def _in_quotes(result: str) -> str:
    return json.dumps(result)[1:-1]


def _as_value(result: str) -> str:
    return final_answer(result, "number") or json.dumps(result)
