"""How sure an answer is for one of its kind: log-probabilities of programs and of prose cannot be compared."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from agents.problem import Answer


class Scale(BaseModel):
    """Where a strategy's mean natural-log probabilities lie. A lower ``mean`` favours the strategy over the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    spread: float = Field(gt=0)


def standing(answer: Answer, scales: Mapping[str, Scale]) -> float | None:
    """The answer's log-probability in spreads above its strategy's mean; None where one of the two is not known."""
    scale, logprob = scales.get(answer.strategy), answer.evidence.mean_logprob
    return None if scale is None or logprob is None else (logprob - scale.mean) / scale.spread
