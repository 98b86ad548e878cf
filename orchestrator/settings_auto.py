"""Settings of the policy that learns nothing: ladders, thresholds, and when it asks."""

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.settings_efforts import Threshold, over
from routers.route import Effort
from routers.standing import Scale

_Rungs = Annotated[tuple[str, ...], Field(min_length=1)]


def _default_ladders() -> dict[Effort, tuple[str, ...]]:
    return {
        "none": ("direct(large)",),
        "minimal": ("program(large)",),
        "low": ("program(large)", "cot(large)"),
        "medium": ("program(large)", "cot(large)"),
        "high": ("program(large)", "cot(large)"),
    }


def _default_accept_logprob() -> dict[Effort, float]:
    # Thresholds of the default pair, from the development split. Low effort takes every program that ran.
    return {"none": -math.inf, "minimal": -math.inf, "low": -math.inf, "medium": -0.17, "high": -0.12}


def _default_scales() -> dict[str, Scale]:
    # Of the default pair's large model on the development split; cot's mean is half a spread lower than measured,
    # because its log-probability tells right from wrong better than the program's.
    return {"program": Scale(mean=-0.124, spread=0.05), "cot": Scale(mean=-0.088, spread=0.028)}


def _default_choosing() -> dict[Effort, tuple[str, ...]]:
    return {
        "none": ("direct(large)",),
        "minimal": ("direct(large)",),
        "low": ("direct(large)",),
        "medium": ("direct(large)", "program(large)"),
        "high": ("direct(large)", "program(large)", "cot(large)"),
    }


def _default_accept_choice() -> dict[Effort, float]:
    # Of the default pair's large model, from 68 questions of the development split. Low effort takes every letter.
    return {"none": -math.inf, "minimal": -math.inf, "low": -math.inf, "medium": -0.45, "high": -0.2}


class AutoSettings(BaseModel):
    """The training-free policy: a ladder of routes by effort, climbed until the evidence suffices.

    ``accept_logprob``: mean natural-log probability of a program's tokens from which it is accepted without a second
    opinion, by effort. ``choosing`` and ``accept_choice`` are the ladders, and the thresholds of a direct answer, for
    questions that name their answers, letters or yes and no, and give nothing to derive one from. ``agreeing``: how
    many attempts must give the same answer otherwise. ``scales``: by strategy, where log-probabilities lie, so that the
    surest of attempts that disagree can be told. What maps efforts keeps its defaults for those that are left out.
    ``temperature`` of every attempt after the first of the same route.
    ``step_tokens`` bounds one internal model call.
    ``code`` are the routes for a function to be completed, tried until one passes the examples in its docstring.
    ``ask``: whether an under-specified question may lead to one clarifying question. Before any attempt the suspicion
    from its words has to reach ``ask_words`` (above 1: never), by the card at ``asking_card`` (made by `tandem train
    asking`; empty takes the one that ships); after the attempts the large model's probability
    that something is missing has to reach ``ask_weak`` where no answer is supported or attempts differ, and
    ``ask_strong`` elsewhere, where a second opinion has to differ as well (above 1: never).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    ask: bool = True
    ask_words: float = Field(default=0.5, ge=0)
    asking_card: str = ""
    ask_weak: float = Field(default=0.3, ge=0)
    ask_strong: float = Field(default=1.1, ge=0)

    accept_logprob: Annotated[dict[Effort, Threshold], over(_default_accept_logprob)] = Field(
        default_factory=_default_accept_logprob
    )
    agreeing: int = Field(default=2, ge=1)
    scales: dict[str, Scale] = Field(default_factory=_default_scales)
    temperature: float = Field(default=0.7, ge=0, allow_inf_nan=False)
    step_tokens: int = Field(default=1024, ge=1)
    ladders: Annotated[dict[Effort, _Rungs], over(_default_ladders)] = Field(default_factory=_default_ladders)
    choosing: Annotated[dict[Effort, _Rungs], over(_default_choosing)] = Field(default_factory=_default_choosing)
    accept_choice: Annotated[dict[Effort, Threshold], over(_default_accept_choice)] = Field(
        default_factory=_default_accept_choice
    )
    code: _Rungs = ("code(small)", "code(large)")
