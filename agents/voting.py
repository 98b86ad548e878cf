"""Votes of samples: which answers are the same, which leads, and when further votes could not change that."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

from agents.events import Verdict
from agents.problem import Answer, AnswerForm, Evidence
from agents.sampling import Sample
from tools.verifiers.equality import cluster

_SHOWN = 4
_SHOWN_CHARACTERS = 40


Preference = Callable[[Sample], tuple[float, ...]]
"""What sorts first is preferred: of samples with the same answer, and of answers with as many votes."""


def shortest(sample: Sample) -> tuple[float, ...]:
    return (sample.length,)


def surest(sample: Sample) -> tuple[float, ...]:
    """By the mean log-probability of what gave the answer; where none is known the shortest."""
    logprob = sample.answer.evidence.mean_logprob
    return (math.inf if logprob is None else -logprob, sample.length)


@dataclass(frozen=True, slots=True)
class Party:
    """Samples that gave the same answer, best representative first. ``weight`` is the sum of their weights."""

    samples: tuple[Sample, ...]
    weight: float

    @property
    def votes(self) -> int:
        return len(self.samples)

    @property
    def value(self) -> str:
        return self.samples[0].answer.value or ""


async def parties(
    votes: Sequence[Sample],
    form: AnswerForm,
    weights: Sequence[float] | None = None,
    preference: Preference = surest,
) -> list[Party]:
    """The answers by falling weight (None: one each), ties by ``preference``; samples without an answer are left out.
    Comparing answers may take seconds, so it is done off the event loop."""
    weight = dict(zip((vote.index for vote in votes), weights or [1.0] * len(votes), strict=True))
    groups = await asyncio.to_thread(cluster, [vote.answer.value for vote in votes], form)
    found = []
    for group in groups:
        members = sorted((votes[i] for i in group), key=lambda vote: (-weight[vote.index], preference(vote)))
        found.append(Party(tuple(members), sum(weight[member.index] for member in members)))
    return sorted(found, key=lambda party: (-party.weight, min(preference(sample) for sample in party.samples)))


def leads_for_good(votes: Sequence[int]) -> float:
    """The probability that the leading answer is the majority's, given the ``votes`` of each answer, most first.

    Adaptive-Consistency (Aggarwal et al. 2023), section 3: Beta(1, 1) on leader against runner-up, of which this is
    the posterior mass above one half.
    """
    leader = votes[0] if votes else 0
    runner_up = votes[1] if len(votes) > 1 else 0
    trials = leader + runner_up + 1
    # For whole numbers the regularised incomplete beta function is a binomial sum.
    return float(sum(comb(trials, k) for k in range(leader + 1)) / 2**trials)


def verdict_of(verifier: str, found: Sequence[Party], drawn: int) -> Verdict:
    """The vote as the trace shows it; it is accepted when more than half of the samples drawn agree."""
    shown = ", ".join(_shown(party) for party in found[:_SHOWN]) or "none"
    accepted = bool(found) and found[0].votes * 2 > drawn
    return Verdict(verifier=verifier, accepted=accepted, reason=f"votes of {drawn} samples: {shown}")


def _shown(party: Party) -> str:
    weight = "" if party.weight == party.votes else f" (weight {party.weight:.2f})"
    return f"{party.value[:_SHOWN_CHARACTERS]}: {party.votes}{weight}"


def elected(strategy: str, found: Sequence[Party], votes: Sequence[Sample]) -> Answer:
    """The leading answer in the words of its best sample; without any answer the shortest sample, which gives none."""
    if not found:
        empty = min(votes, key=lambda vote: vote.length).answer
        return empty.model_copy(update={"strategy": strategy})
    best = found[0].samples[0].answer
    evidence: Evidence = best.evidence.model_copy(
        update={"agreement": found[0].votes / len(votes), "votes": len(votes)}
    )
    return best.model_copy(update={"strategy": strategy, "evidence": evidence})
