"""Runs checks against a candidate in the sandbox, each on its own, and reads which passed."""

import ast
import json
import secrets
from collections.abc import Sequence
from importlib import resources

from tools.sandbox.protocol import Execution, Limits, Sandbox
from tools.verifiers.code.stub import Example

_MOST_ASSERTS = 12


def check_of(example: Example) -> str:
    """The example as a statement that a runner understands."""
    return f"same({example.call}, {example.wanted})"


def asserts_in(text: str, name: str) -> tuple[str, ...]:
    """The assert statements about ``name`` in a model's ``text``, one check each; what does not parse is left out."""
    found: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        statement = line.strip()
        if not statement.startswith("assert ") or name not in statement:
            continue
        try:
            tree = ast.parse(statement)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if len(tree.body) == 1 and isinstance(tree.body[0], ast.Assert):
            found.append(ast.unparse(tree.body[0]))
    return tuple(dict.fromkeys(found))[:_MOST_ASSERTS]


async def passed(
    sandbox: Sandbox, limits: Limits, candidate: str, checks: Sequence[str]
) -> tuple[Execution, tuple[bool, ...]]:
    """Which of ``checks`` the candidate passes; a candidate that cannot be run passes none."""
    marker = f"--checks-{secrets.token_hex(16)}--"
    runner = resources.files(__package__).joinpath("runner.py").read_text(encoding="utf-8")
    given = f"MARKER, CANDIDATE, CHECKS = {marker!r}, {candidate!r}, {list(checks)!r}\n"
    execution = await sandbox.run(given + runner, limits)
    printed, found, tail = execution.stdout.rpartition(marker)
    shown = execution.model_copy(update={"stdout": printed if found else execution.stdout})
    return shown, _read(tail if found else "", len(checks))


def _read(report: str, count: int) -> tuple[bool, ...]:
    try:
        values = json.loads(report)
    except (ValueError, RecursionError):
        return (False,) * count
    if not isinstance(values, list) or len(values) != count or not all(isinstance(value, bool) for value in values):
        return (False,) * count
    return tuple(values)
