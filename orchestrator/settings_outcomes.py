"""Settings of the store of outcomes."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class OutcomeSettings(BaseModel):
    """What is kept of runs whose answer was judged, by their owner's feedback or by the examples of a coding task, for
    training routers: ``none``; the ``verdict`` with route, tokens and time but nothing of what was asked or answered;
    or ``text``, question and final answer as well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: Literal["none", "verdict", "text"] = "verdict"
