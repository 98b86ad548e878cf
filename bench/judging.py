"""Answers to known questions, and what a judging model makes of them."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain

from agents.problem import Answer, AnswerForm
from agents.sampling import Draw, attempt_of
from agents.verifier import Verifier
from bench.questions import Question
from bench.solving import Solver, side_by_side
from routers.judging.training import JudgedAnswer
from tools.verifiers.equality import equal

_GREEDY = Draw(n=1, temperature=0.0)


async def judged_answers(
    solver: Solver,
    dataset: str,
    questions: Sequence[Question],
    models: Sequence[str],
    judge: Verifier,
    advance: Callable[[], None],
    concurrency: int = 4,
) -> list[JudgedAnswer]:
    """Every model's reasoned answer to every question with the score of ``judge``; those without one are left out.
    ``concurrency`` questions are under way at once."""
    gate = asyncio.Semaphore(concurrency)

    async def one(question: Question) -> list[JudgedAnswer]:
        async with gate:
            # One model after the other: what they write alike is judged once.
            answers = [await _answer(solver, question, model) for model in models]
            judged = [await _judged(solver, dataset, question, answer, judge, answers) for answer in answers]
        advance()
        return [answer for answer in judged if answer is not None]

    return list(chain.from_iterable(await side_by_side(one(question) for question in questions)))


async def _answer(solver: Solver, question: Question, model: str) -> Answer:
    [drawn] = await solver.draw(question, model, attempt_of("cot"), _GREEDY)
    return drawn.sample.answer


async def _judged(
    solver: Solver, dataset: str, question: Question, answer: Answer, judge: Verifier, answers: Sequence[Answer]
) -> JudgedAnswer | None:
    score = await solver.score(question, answer, judge)
    if score is None:
        return None
    value = answer.value
    values = [other.value for other in answers if other is not answer]
    return JudgedAnswer(
        dataset,
        question.id,
        score,
        right=value is not None and await asyncio.to_thread(equal, value, question.answer, question.form),
        model=answer.model,
        logprob=answer.evidence.mean_logprob,
        agrees=value is not None and await asyncio.to_thread(_agrees, value, values, question.form),
    )


def _agrees(value: str, others: Sequence[str | None], form: AnswerForm) -> bool:
    return any(other is not None and equal(other, value, form) for other in others)
