"""``stepwise``: the small model writes a step, the large one grades it with one token and rewrites what is too bad.

SpecReason (Pan et al., "SpecReason: Fast and Accurate Inference-Time Compute via Speculative Reasoning", arXiv
2504.07891). A step ends at a blank line. The answer ends with the step that holds the boxed result, or where a step
says the same as the one before it.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Literal

from pydantic import Field

from workers.collaboration.policy import END, Call, Desk, Keep, PolicyOptions, Proposal, Resources, Role
from workers.collaboration.prompts import render
from workers.collaboration.score import average_digit, greedy_digit

_BLANK_LINE = "\n\n"
# The authors also stop at "Answer:", which ordinary text contains without having come to its end.
_RESULT = "\\boxed{"


class StepwiseOptions(PolicyOptions):
    """A step graded at least ``threshold`` is accepted. ``score``: the digit the large model writes ("greedy"), or what
    it expects over the digits among its ``score_top_logprobs`` likeliest tokens ("average"). The first ``large_steps``
    steps are the large model's; a step has at most ``step_tokens`` tokens."""

    threshold: float = Field(default=7.0, ge=0, le=9)
    score: Literal["greedy", "average"] = "greedy"
    large_steps: int = Field(default=0, ge=0)
    step_tokens: int = Field(default=512, ge=1)
    score_top_logprobs: int = Field(default=10, ge=1, le=100)


class Stepwise:
    name = "stepwise"
    level = "step"
    Options = StepwiseOptions
    reserve = 160

    def __init__(self, options: StepwiseOptions, resources: Resources) -> None:
        self._options = options

    async def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        begun = _last_step(desk)
        if begun.strip():
            # A step that an earlier worker was showing: it was accepted, or is the large model's.
            role = desk.author(desk.written[-1])
            async with aclosing(self._step(desk, role, "goes on with its step", begun)) as kept:
                async for keep in kept:
                    yield keep
        while True:
            steps = _steps(desk)
            if steps and (_RESULT in steps[-1] or steps[-1:] == steps[-2:-1]):
                yield Keep(desk.author(desk.written[-1]), (END,), "")
                return
            grade, reason = None, f"the first {self._options.large_steps} steps are its own"
            if len(steps) >= self._options.large_steps:
                draft = await self._draft(desk)
                grade = await self._grade(desk, draft)
                if grade is None:
                    yield Keep("small", draft, "there is nothing to grade")
                    continue
                if grade >= self._options.threshold:
                    yield Keep("small", draft, f"its step is graded {grade:g}", grade)
                    continue
                reason = f"the small model's step is graded {grade:g}, below {self._options.threshold:g}"
            async with aclosing(self._step(desk, "large", reason, "")) as kept:
                async for keep in kept:
                    yield replace(keep, grade=grade)
                    grade = None

    async def _draft(self, desk: Desk) -> Sequence[Proposal]:
        draft: list[Proposal] = []
        async with aclosing(self._step(desk, "small", "", "")) as kept:
            async for keep in kept:
                draft += keep.proposals
        return draft

    async def _grade(self, desk: Desk, draft: Sequence[Proposal]) -> float | None:
        """None where there is no step to grade, only the end of the turn."""
        if not "".join(proposal.text for proposal in draft).strip():
            return None
        # With the space, because most tokenizers have digits of their own that follow one.
        opening = render("stepwise_opening") + " "
        averaged = self._options.score == "average"
        likeliest = self._options.score_top_logprobs if averaged else 0
        token = await desk.judge("large", draft, render("stepwise_score"), opening, likeliest)
        if token is None:
            return 0.0
        return average_digit(token) if averaged else greedy_digit(token)

    async def _step(self, desk: Desk, role: Role, reason: str, begun: str) -> AsyncGenerator[Keep, None]:
        """One step of ``role``, or the rest of one of which ``begun`` is there."""
        text = begun
        async with aclosing(
            desk.propose(role, Call(self._options.step_tokens, self._options.top_logprobs))
        ) as proposals:
            async for proposal in proposals:
                text += proposal.text
                yield Keep(role, (proposal,), reason)
                if _BLANK_LINE in text.lstrip():
                    return


def _texts(desk: Desk) -> list[str]:
    return "".join(written.text for written in desk.written).split(_BLANK_LINE)


def _steps(desk: Desk) -> list[str]:
    return [text.strip() for text in _texts(desk) if text.strip()]


def _last_step(desk: Desk) -> str:
    """The text after the last blank line: a step that has no end yet."""
    return _texts(desk)[-1]
