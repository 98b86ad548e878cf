"""What the label pipeline writes down, one line for each finished piece of work."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Ground = Literal["same", "end", "numbers", "judge"]
"""Why a label is what it is: both alternatives read the same; only one of them ends the answer; they hold different
numbers; a model was asked."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainingQuestion(_Record):
    """What the large model is asked; ``text`` is the whole message, with the prompt of the strategy."""

    id: str
    text: str


class TrainingAnswer(_Record):
    """The large model's greedy answer, as ids. ``finished``: it ended its turn; others are not used."""

    question: str
    prompt: tuple[int, ...]
    ids: tuple[int, ...]
    finished: bool


class Label(_Record):
    """A place where the small model would have written another token. ``position`` counts in the answer;
    ``probability`` is the judge's that the two alternatives mean different things, None where it was not asked."""

    question: str
    position: int
    small: int
    large: int
    small_text: str
    large_text: str
    divergent: bool
    ground: Ground
    probability: float | None = None
