"""Settings of the answer-side policy."""

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.settings_efforts import over
from routers.route import Effort

_Price = Annotated[float, Field(ge=0)]


def _default_price() -> dict[Effort, float]:
    # Low effort takes nearly every first answer; at high effort four points are worth a whole chain of thought.
    return {"none": math.inf, "minimal": math.inf, "low": 1.0, "medium": 0.1, "high": 0.04}


class AcceptanceSettings(BaseModel):
    """``decides``: whether `auto` weighs the calibrated probability of an answer against the cost of another attempt,
    in place of the ladder's thresholds. ``card`` is a file made by `tandem train acceptance`; empty takes the one that
    ships for the pair, if any. ``samples``: how many more samples of a ladder's first route may follow it. ``price``:
    by effort, how much probability of a right answer the cost of one large chain of thought is worth."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    decides: bool = False
    card: str = ""
    samples: int = Field(default=1, ge=0, le=8)
    price: Annotated[dict[Effort, _Price], over(_default_price)] = Field(default_factory=_default_price)
