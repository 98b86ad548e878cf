"""The seam between strategies that choose among answers and whatever can tell a right one."""

from typing import Protocol

from agents.problem import Answer, Problem
from agents.strategy import SolveContext


class Verifier(Protocol):
    """Scores an answer without knowing the right one: by tests, by logic, by asking a model.

    A model that it needs comes from ``context`` and is charged like any other call.
    """

    name: str

    async def score(self, problem: Problem, answer: Answer, context: SolveContext) -> float | None:
        """How likely ``answer`` is right, between 0 and 1; None where this verifier cannot tell.

        Raises ``BudgetSpent`` when the ledger ends before a score exists.
        """
        ...
