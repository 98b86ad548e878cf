"""Step 0 of the pipeline: the large model answers the training questions."""

import asyncio
from collections.abc import Callable, Sequence

from workers.divergence.generation import greedy
from workers.divergence.journal import Journal
from workers.divergence.records import TrainingAnswer, TrainingQuestion
from workers.engines.protocol import Engine


async def answer_all(
    large: Engine,
    questions: Sequence[TrainingQuestion],
    journal: Journal[TrainingAnswer],
    limit: int,
    progress: Callable[[], None],
) -> list[TrainingAnswer]:
    """The answers to ``questions`` in their order, of at most ``limit`` tokens; those in the journal are not asked
    for again."""
    known = {answer.question: answer for answer in journal.read()}
    gate = asyncio.Semaphore((await large.describe()).slots)

    async def one(question: TrainingQuestion) -> TrainingAnswer:
        if question.id not in known:
            async with gate:
                known[question.id] = await _answer(large, question, limit)
            journal.append(known[question.id])
        progress()
        return known[question.id]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(question)) for question in questions]
    return [task.result() for task in tasks]


async def _answer(large: Engine, question: TrainingQuestion, limit: int) -> TrainingAnswer:
    prompt = await large.tokenize(await large.render([{"role": "user", "content": question.text}]))
    tokens, reason = await greedy(large, prompt, limit)
    ids = tuple(token.id for token in tokens if token.id >= 0)
    return TrainingAnswer(question=question.id, prompt=prompt, ids=ids, finished=reason == "stop")
