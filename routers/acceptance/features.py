"""What is known of an answer, as numbers: of its surest attempt, of those that agree and of those that differ."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from agents.problem import AnswerForm
from routers.acceptance.attempt import Attempt, Camp

_FORMS: tuple[AnswerForm, ...] = ("expression", "choice", "yes-no")
_CLIP = 3.0


class Spread(BaseModel):
    """Where a route's values lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    deviation: float = Field(gt=0)

    def standard(self, value: float) -> float:
        """In deviations above the mean, within three of it."""
        return max(-_CLIP, min(_CLIP, (value - self.mean) / self.deviation))


class RouteScale(BaseModel):
    """``logprob``: of a route's mean natural-log probabilities; ``length``: of the logarithm of its tokens. None where
    the route yields none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    logprob: Spread | None
    length: Spread | None


Scales = Mapping[str, RouteScale]


def surest(attempts: Sequence[Attempt], camp: Camp, scales: Scales) -> int:
    """The member with the highest log-probability for its route; of equals the first."""
    return max(camp.members, key=lambda index: (_sure(attempts[index], scales), -index))


def names(routes: Sequence[str]) -> list[str]:
    """What each column of ``vector`` means."""
    return [
        *(f"from {route}" for route in routes),
        *(f"log-probability of {route}" for route in routes),
        "no log-probability",
        "length",
        "agreement within the strategy",
        "no program ran",
        "can hardly be an answer",
        "agree in another format",
        "agree in the same format",
        "log-probability of the surest that agrees",
        "disagree",
        "log-probability of the surest that disagrees",
        "gave no answer",
        *(f"form {form}" for form in _FORMS),
    ]


def vector(
    attempts: Sequence[Attempt], camp: Camp, form: AnswerForm, routes: Sequence[str], scales: Scales
) -> NDArray[np.float64]:
    """Shape (columns,), in the order of ``names``. Counts are of routes, so that a second opinion in another format is
    not the same as the same format again."""
    best = surest(attempts, camp, scales)
    own = attempts[best]
    strategy = _strategy(own)
    others = [attempts[index] for index in camp.members if index != best]
    rest = [a for i, a in enumerate(attempts) if i not in camp.members]
    against = [a for a in rest if a.value is not None]
    sure = _sure(own, scales)
    return np.array(
        [
            *(float(own.route == route) for route in routes),
            *(sure if own.route == route else 0.0 for route in routes),
            float(own.logprob is None),
            _long(own, scales),
            0.0 if own.agreement is None else own.agreement - 0.5,
            float(own.ran is False),
            float(not own.plausible),
            float(sum(_strategy(a) != strategy for a in others)),
            float(sum(_strategy(a) == strategy for a in others)),
            max((_sure(a, scales) for a in others), default=0.0),
            float(len(against)),
            max((_sure(a, scales) for a in against), default=0.0),
            float(len(rest) - len(against)),
            *(float(form == known) for known in _FORMS),
        ]
    )


def scales_of(attempts: Sequence[Attempt], routes: Sequence[str]) -> dict[str, RouteScale]:
    """The spread of each route's log-probabilities and lengths."""
    found = {}
    for route in routes:
        own = [attempt for attempt in attempts if attempt.route == route and attempt.value is not None]
        logprobs = [attempt.logprob for attempt in own if attempt.logprob is not None]
        lengths = [math.log1p(attempt.length) for attempt in own if attempt.length is not None]
        found[route] = RouteScale(logprob=_spread(logprobs), length=_spread(lengths))
    return found


def _spread(values: Sequence[float]) -> Spread | None:
    if len(values) < 2:
        return None
    deviation = float(np.std(values))
    return Spread(mean=float(np.mean(values)), deviation=deviation) if deviation > 0 else None


def _sure(attempt: Attempt, scales: Scales) -> float:
    scale = scales.get(attempt.route)
    if scale is None or scale.logprob is None or attempt.logprob is None:
        return 0.0
    return scale.logprob.standard(attempt.logprob)


def _long(attempt: Attempt, scales: Scales) -> float:
    scale = scales.get(attempt.route)
    if scale is None or scale.length is None or attempt.length is None:
        return 0.0
    return scale.length.standard(math.log1p(attempt.length))


def _strategy(attempt: Attempt) -> str:
    return attempt.route.partition("(")[0]
