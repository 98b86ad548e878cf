"""Decides theories with Z3, in the sandbox and within a time limit.

After LINC (Olausson et al. 2023), section 3: the conclusion follows if premises and its negation cannot hold together,
is refuted if premises and it cannot, and is uncertain otherwise.
"""

import json
import secrets
from collections.abc import Sequence
from importlib import resources
from typing import Literal

from tools.sandbox.protocol import Limits, Sandbox
from tools.verifiers.logic.theory import Theory, script_of

Decision = Literal["true", "false", "uncertain", "contradictory", "unknown"]
"""``contradictory``: the premises contradict each other, so that everything follows; ``unknown``: out of time."""

_QUERY_MILLISECONDS = 1_000


async def decide(sandbox: Sandbox, limits: Limits, theories: Sequence[Theory]) -> tuple[Decision, ...]:
    """What becomes of each conclusion; all unknown where the sandbox did not get to an end."""
    marker = f"--logic-{secrets.token_hex(16)}--"
    scripts = [(script.given, script.conclusion) for script in map(script_of, theories)]
    runner = resources.files(__package__).joinpath("solver.py").read_text(encoding="utf-8")
    given = f"MARKER, SCRIPTS, MILLISECONDS = {marker!r}, {scripts!r}, {_QUERY_MILLISECONDS}\n"
    seconds = int(2 * len(theories) * _QUERY_MILLISECONDS / 1000) + limits.cpu_seconds
    roomy = limits.model_copy(update={"cpu_seconds": seconds, "wall_seconds": limits.wall_seconds + 2.0 * seconds})
    execution = await sandbox.run(given + runner, roomy)
    unknown: tuple[Decision, ...] = tuple("unknown" for _ in theories)
    try:
        results = json.loads(execution.stdout.rpartition(marker)[2])
    except ValueError:  # it was stopped before its report
        return unknown
    return tuple(_decision(*result) for result in results) if len(results) == len(theories) else unknown


def _decision(negated: str, asserted: str) -> Decision:
    match negated, asserted:
        case "unsat", "unsat":
            return "contradictory"
        case "unsat", _:
            return "true"
        case _, "unsat":
            return "false"
        case "sat", "sat":
            return "uncertain"
        case _:
            return "unknown"
