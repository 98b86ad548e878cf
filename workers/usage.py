"""Token counts as an engine reports them."""

from pydantic import BaseModel, ConfigDict


class Usage(BaseModel):
    """What one model call read and wrote, in tokens.

    ``cached`` is the part of ``prompt`` that the engine's prefix cache served; it is included in ``prompt``.
    """

    model_config = ConfigDict(frozen=True)

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            cached=self.cached + other.cached,
        )

    @property
    def total(self) -> int:
        return self.prompt + self.completion
