"""Answers to known questions, and what a judging model makes of them."""

import asyncio
from collections.abc import Callable, Sequence

from agents.sampling import Draw, attempt_of
from agents.verifier import Verifier
from bench.questions import Question
from bench.solving import Solver
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
) -> list[JudgedAnswer]:
    """Every model's reasoned answer to every question with the score of ``judge``; those without one are left out."""
    judged: list[JudgedAnswer] = []
    for question in questions:
        for model in models:
            [drawn] = await solver.draw(question, model, attempt_of("cot"), _GREEDY)
            answer = drawn.sample.answer
            score = await solver.score(question, answer, judge)
            if score is not None:
                value = answer.value
                right = value is not None and await asyncio.to_thread(equal, value, question.answer, question.form)
                judged.append(JudgedAnswer(dataset, question.id, score, right))
        advance()
    return judged
