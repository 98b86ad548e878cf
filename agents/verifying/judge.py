"""A generative verifier: a model judges an answer by a rubric, and the probability of its verdict is the score.

After Generative Verifiers (Zhang et al. 2024), section 3.1: the score is the probability of "Yes" to whether the answer
is correct. ``calibrate`` maps it to how often answers with that score were right, where outcomes say so.
"""

from collections.abc import Callable

from agents.events import Verdict
from agents.problem import Answer, Problem
from agents.prompts import render
from agents.strategy import SolveContext, earlier
from agents.verdicts import probability_of_yes

_LONGEST = 6_000


class Judge:
    """``model`` is the configured name of the judging model. ``bound`` is the score from which its verdict in the
    trace is "accepted"."""

    name = "judge"

    def __init__(self, model: str, *, bound: float = 0.5, calibrate: Callable[[float], float] | None = None) -> None:
        self._model = model
        self._bound = bound
        self._calibrate = calibrate

    async def score(self, problem: Problem, answer: Answer, context: SolveContext) -> float | None:
        """The calibrated probability that the answer is right; None where the model gives no verdict."""
        if not answer.text and answer.value is None:
            return None
        prompt = render(
            "judge",
            question=problem.question,
            work=_middle_out(answer.text),
            final=answer.value if answer.value is not None else "(see above)",
        )
        model, before = context.models[self._model], earlier(problem.messages)
        given = await probability_of_yes(context, model, prompt, purpose="judge the answer", before=before)
        if given is None:
            await context.emit(Verdict(verifier=self.name, accepted=None, reason="the judge gave no verdict"))
            return None
        score = self._calibrate(given) if self._calibrate is not None else given
        reason = f"{self._model} finds it right with probability {score:.2f}"
        await context.emit(Verdict(verifier=self.name, accepted=score >= self._bound, reason=reason))
        return score


def _middle_out(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST // 2]}\n[...]\n{text[-_LONGEST // 2 :]}"
