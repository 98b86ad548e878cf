"""The vocabulary of the verifiers."""

from typing import Literal, Protocol

Form = Literal["number", "expression", "choice", "yes-no", "code", "text"]
"""How answers are compared; the same words as the form of a problem."""


class Comparison(Protocol):
    """Decides what plain text comparison and arithmetic can not."""

    def equal(self, left: str, right: str) -> bool:
        """Whether two mathematical expressions are equal. Blocks, within a bound; False when it can not tell."""
        ...
