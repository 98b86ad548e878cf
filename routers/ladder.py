"""The training-free policy of ``auto``: climb a ladder of routes until the evidence suffices.

The evidence is on the answer's side (RouterArena's and other held-out comparisons show that the question alone says
little): a program that ran with a high log-probability, or independent attempts that agree. No signal is not "easy":
without evidence the next, more capable route is taken.
"""

import math
from collections.abc import Mapping, Sequence

from agents.problem import Answer
from routers.assessment import Assessment
from routers.plausible import implausible
from routers.policy import Abstain, Accept
from routers.route import Decision, Effort, Estimate, Route
from routers.standing import Scale, standing
from tools.verifiers.equality import cluster

Ladders = Mapping[Effort, Sequence[Route]]


class Ladder:
    """``enough``, by strategy and effort, is the mean natural-log probability from which a first attempt needs no
    second opinion; attempts of other strategies always do. ``agreeing`` and ``scales`` as in the settings; ``talker``
    answers what cannot be checked and ``clerk`` the hidden requests of chat interfaces."""

    def __init__(
        self,
        ladders: Ladders,
        *,
        talker: Route,
        clerk: Route,
        enough: Mapping[str, Mapping[Effort, float]],
        agreeing: int,
        scales: Mapping[str, Scale],
    ) -> None:
        self._ladders = ladders
        self._talker = talker
        self._clerk = clerk
        self._enough = enough
        self._agreeing = agreeing
        self._scales = scales

    def first(self, assessment: Assessment, effort: Effort) -> Decision:
        if assessment.interface_task:
            return self._decision(self._clerk, "a chat interface's own request goes to the smallest model", ())
        if assessment.form == "text":
            reason = "nothing to verify, so the capable model answers at once"
            return self._decision(self._talker, reason, (self._clerk, self._talker))
        rungs = self._ladders[effort]
        reason = f"the answer can be checked, so the cheapest checked route of effort {effort!r} comes first"
        return self._decision(rungs[0], reason, rungs)

    def after(self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer]) -> Accept | Abstain | Decision:
        last = attempts[-1]
        if assessment.form == "text":
            if last.streamed or last.text or last.tool_calls:
                return Accept(attempt=len(attempts) - 1, reason="written straight to the reader", supported=False)
            return Abstain(reason="the model wrote nothing")
        rungs = self._ladders[effort]
        leaders = self._leaders(assessment, attempts)
        accepted = self._sufficient(assessment, effort, attempts, leaders)
        if accepted is not None:
            return accepted
        if len(attempts) < len(rungs):
            route = rungs[len(attempts)]
            return self._decision(route, self._doubt(assessment, attempts, leaders), rungs[len(attempts) :])
        if not leaders:
            return Abstain(reason=f"none of {len(attempts)} attempts gave an answer")
        reason = self._at_the_top(assessment, attempts, leaders)
        return Accept(attempt=leaders[0], reason=reason, supported=len(leaders) > 1)

    def _at_the_top(self, assessment: Assessment, attempts: Sequence[Answer], leaders: Sequence[int]) -> str:
        if len(leaders) > 1 or len(attempts) == 1:
            return f"the ladder is climbed; {len(leaders)} of {len(attempts)} attempts agree"
        leader = attempts[leaders[0]]
        others = [attempt for attempt in attempts if attempt is not leader and attempt.value is not None]
        if others and all(implausible(other.value, assessment.bounds) for other in others):
            return f"the ladder is climbed; only what {leader.strategy} says can be an answer"
        return f"the ladder is climbed and no attempts agree; {leader.strategy} is surest of its kind"

    def _sufficient(
        self, assessment: Assessment, effort: Effort, attempts: Sequence[Answer], leaders: Sequence[int]
    ) -> Accept | None:
        if len(leaders) >= self._agreeing:
            return Accept(attempt=leaders[0], reason=f"{len(leaders)} independent attempts agree")
        last = attempts[-1]
        if len(attempts) > 1 or last.value is None or implausible(last.value, assessment.bounds) is not None:
            return None
        # Whatever the strategy, a program that ran is one.
        kind = "program" if last.evidence.program_ran else last.strategy
        threshold, logprob = self._enough.get(kind, {}).get(effort), last.evidence.mean_logprob
        if threshold is None or not (threshold == -math.inf or (logprob is not None and logprob >= threshold)):
            return None
        did = "the program ran" if kind == "program" else f"{kind} gave an answer"
        shown = "unknown" if logprob is None else f"{logprob:.3f}"
        return Accept(attempt=0, reason=f"{did}; its mean log-probability is {shown}")

    def _leaders(self, assessment: Assessment, attempts: Sequence[Answer]) -> Sequence[int]:
        """Indices of the attempts behind the leading answer; on a tie the one that is surest for its kind, and where
        that is not known for each, that of the earlier rung. What can hardly be an answer leads only where nothing else
        is left."""
        answered = [index for index, attempt in enumerate(attempts) if attempt.value is not None]
        if not answered:
            return ()
        answered = [i for i in answered if implausible(attempts[i].value, assessment.bounds) is None] or answered
        groups = cluster([attempts[index].value for index in answered], assessment.form)
        largest = max(len(group) for group in groups)
        tied = [[answered[index] for index in group] for group in groups if len(group) == largest]
        surest = [self._standing(attempts, group) for group in tied]
        known = [value for value in surest if value is not None]
        if len(known) == len(tied):
            return tied[surest.index(max(known))]
        return min(tied, key=min)

    def _standing(self, attempts: Sequence[Answer], group: Sequence[int]) -> float | None:
        """Of the group's surest attempt."""
        known = [value for index in group if (value := standing(attempts[index], self._scales)) is not None]
        return max(known, default=None)

    def _doubt(self, assessment: Assessment, attempts: Sequence[Answer], leaders: Sequence[int]) -> str:
        last = attempts[-1]
        if last.value is None:
            return f"{last.strategy} gave no answer"
        why = implausible(last.value, assessment.bounds)
        if why is not None:
            return why
        if len(attempts) > 1:
            return f"only {len(leaders)} of {len(attempts)} attempts agree"
        logprob = last.evidence.mean_logprob
        return "no evidence for the answer" if logprob is None else f"mean log-probability {logprob:.3f} is low"

    def _decision(self, route: Route, reason: str, considered: Sequence[Route]) -> Decision:
        unique = {r.name: r for r in (route, *considered)}
        return Decision(route=route, reason=reason, considered=tuple(Estimate(route=r) for r in unique.values()))
