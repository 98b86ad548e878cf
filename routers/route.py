"""A route is (models, strategy, budget); a decision is the chosen one, the ones considered and why."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from workers.ledger import Budget

Effort = Literal["none", "minimal", "low", "medium", "high"]


class Route(BaseModel):
    """``models`` are configured model names, the one that writes first comes first. ``sample`` 0 is the strategy's own
    sampling; 1, 2, … are further, independent samples of the same strategy."""

    model_config = ConfigDict(frozen=True)

    strategy: str
    models: tuple[str, ...]
    budget: Budget = Budget()
    sample: int = 0

    @property
    def name(self) -> str:
        """For example ``program(large)``: how the trace, headers and the bench name a route."""
        return f"{self.strategy}({'+'.join(self.models)})"


def route_named(name: str) -> Route:
    """From a name such as ``program(large)``."""
    strategy, _, models = name.partition("(")
    return Route(strategy=strategy, models=tuple(models.rstrip(")").split("+")))


class Estimate(BaseModel):
    """A route that was weighed; ``success`` is the predicted probability of a right answer, ``tokens`` how many it
    writes and ``cost`` is relative to the large model's step-by-step answer. Where success is what was measured on
    ``n`` questions, ``interval`` is its 95 % interval. None where nothing is known."""

    model_config = ConfigDict(frozen=True)

    route: Route
    success: float | None = None
    tokens: float | None = None
    cost: float | None = None
    n: int | None = None
    interval: tuple[float, float] | None = None


class Decision(BaseModel):
    """``reason`` is one sentence for the reader of the trace."""

    model_config = ConfigDict(frozen=True)

    route: Route
    reason: str
    considered: tuple[Estimate, ...] = ()
