"""Settings that have a value for each ``reasoning_effort``."""

import math
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from routers.route import Effort

Value = TypeVar("Value")

Threshold = Annotated[float, Field(ge=-math.inf)]
"""Any number; ``-inf`` is always reached, ``inf`` never."""


def over(defaults: Callable[[], dict[Effort, Value]]) -> AfterValidator:
    """Efforts that a setting leaves out keep their defaults."""

    def completed(given: dict[Effort, Value]) -> dict[Effort, Value]:
        return {**defaults(), **given}

    return AfterValidator(completed)
