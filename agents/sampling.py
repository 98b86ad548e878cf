"""Several draws of the same attempt, side by side, each with a seed of its own."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from agents.branches import Job, branches
from agents.cot import ChainOfThought
from agents.problem import Answer, Problem
from agents.program import Program
from agents.strategy import SolveContext, Strategy
from workers.engines.protocol import Finish, Token
from workers.models.protocol import ChatModel, ChatRequest, ModelCard

Format = Literal["cot", "program"]
"""How a sample is written: reasoning step by step, or a program whose output is the answer."""

Watch = Callable[[Token], None]
"""Sees every token as it is written; ends its sample by raising ``Stopped``."""


class Stopped(Exception):
    """Control flow: a sample is not worth finishing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One draw. ``tokens`` is all that the model wrote for it, in order."""

    index: int
    answer: Answer
    tokens: tuple[Token, ...]

    @property
    def length(self) -> int:
        """In tokens."""
        return len(self.tokens)

    @property
    def whole(self) -> bool:
        """Whether it ended by itself with an answer, not at a bound."""
        return self.answer.value is not None and self.answer.finish_reason == "stop"


@dataclass(frozen=True, slots=True)
class Draw:
    """How to sample: ``n`` draws numbered from ``first``, ``at_once`` of them at a time (None: all), with the
    ``top_logprobs`` most probable alternatives of every token."""

    n: int
    temperature: float
    top_p: float = 1.0
    first: int = 0
    at_once: int | None = None
    top_logprobs: int = 1


def attempt_of(form: Format) -> Strategy:
    """The strategy that writes one sample. A program that fails is not repaired: the next sample is as good."""
    return ChainOfThought() if form == "cot" else Program(repairs=0)


async def samples(
    attempt: Strategy,
    problem: Problem,
    context: SolveContext,
    draw: Draw,
    watch: Callable[[], Watch] | None = None,
) -> AsyncGenerator[Sample, None]:
    """Yield samples as they finish; closing aborts the others, as in ``branches``, whose errors these are.

    ``watch`` makes an observer for each sample; a sample that it stops is aborted and not yielded.
    """
    jobs = [_job(attempt, problem, draw, index, watch) for index in range(draw.first, draw.first + draw.n)]
    async with aclosing(branches(context, jobs, draw.at_once)) as stream:
        async for finished in stream:
            if finished.result is not None:
                yield finished.result


def _job(
    attempt: Strategy, problem: Problem, draw: Draw, index: int, watch: Callable[[], Watch] | None
) -> Job[Sample | None]:
    async def run(context: SolveContext) -> Sample | None:
        heard = _Heard(context.writer(), draw.top_logprobs, watch() if watch else None)
        models = {**context.models, context.writers[0]: heard}
        try:
            answer = await attempt.solve(_drawn(problem, draw, index), replace(context, models=models))
        except Stopped:
            return None
        return Sample(index, answer, tuple(heard.tokens))

    return run


def _drawn(problem: Problem, draw: Draw, index: int) -> Problem:
    given = problem.sampling
    seed = None if given.seed is None else given.seed + index
    sampling = replace(given, temperature=draw.temperature, top_p=draw.top_p, seed=seed)
    return problem.model_copy(update={"sampling": sampling})


class _Heard:
    """Wraps a model: its tokens are kept, with their alternatives, and watched while they are written."""

    def __init__(self, inner: ChatModel, top_logprobs: int, watch: Watch | None) -> None:
        self._inner = inner
        self._top_logprobs = top_logprobs
        self._watch = watch
        self.tokens: list[Token] = []

    @property
    def card(self) -> ModelCard:
        return self._inner.card

    async def generate(self, request: ChatRequest) -> AsyncGenerator[Token | Finish, None]:
        asked = replace(request, top_logprobs=max(request.top_logprobs, self._top_logprobs))
        async with aclosing(self._inner.generate(asked)) as stream:
            async for event in stream:
                if isinstance(event, Token):
                    self.tokens.append(event)
                    if self._watch is not None:
                        self._watch(event)
                yield event
