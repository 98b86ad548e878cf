"""The baselines of the default pair that were published with the questions, beside what is measured here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.aggregate import total_tokens
from bench.record import Aim
from bench.solving import Solved
from bench.statistics import wilson
from orchestrator.settings import Settings

Role = Literal["small", "large"]

DATASET, ROWS = "gsm8k_test", 100
"""The questions they were measured on: the first of the set. Greedy, at most 700 new tokens, two cores."""

_DIGESTS: dict[Role, str] = {
    "small": "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    "large": "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
}


@dataclass(frozen=True, slots=True)
class Published:
    """A strategy on one of the two models: the share that was right, and the tokens it wrote for each question."""

    strategy: str
    role: Role
    accuracy: float
    tokens: int

    def system(self, settings: Settings) -> str:
        """Its name here."""
        return f"{self.strategy}({settings.named(self.role)})"


BASELINES = (
    Published("cot", "small", 0.27, 284),
    Published("program", "small", 0.22, 88),
    Published("direct", "small", 0.12, 205),
    Published("cot", "large", 0.54, 315),
    Published("program", "large", 0.52, 86),
)


def comparable(settings: Settings) -> bool:
    """Whether the configured pair is the one that they were measured with."""
    return all(settings.models[settings.named(role)].sha256 == digest for role, digest in _DIGESTS.items())


def within(published: Published, system: str, solved: Sequence[Solved]) -> Aim:
    """Whether a baseline lies within the interval of what is measured here. ``solved`` by ``system``."""
    right, n = sum(one.correct for one in solved), len(solved)
    low, high = wilson(right, n)
    reached = low <= published.accuracy <= high
    written = sum(usage.completion for usage in total_tokens(solved).values()) / n
    return Aim(
        aim=f"{system} on {n} of {DATASET}: the baseline published with the questions lies within the interval",
        target=f"{published.accuracy:.0%} within the 95 % interval",
        measured=f"{right / n:.0%} [{low:.0%}, {high:.0%}], n = {n}",
        reached=reached,
        why="" if reached else _why(published, right / n, written),
    )


def _why(published: Published, accuracy: float, written: float) -> str:
    points = (accuracy - published.accuracy) * 100
    return (
        f"right {abs(points):.0f} points {'more' if points > 0 else 'less'} often than published, with "
        f"{written:.0f} tokens a question where the baseline wrote {published.tokens}"
    )
