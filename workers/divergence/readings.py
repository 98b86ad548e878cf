"""Step 1 of the pipeline: what the small model would have written at every place of the large model's answers."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from workers.divergence.records import TrainingAnswer
from workers.engines.torch_engine import Reading

TOP = 20


class Reader(Protocol):
    """A model that says of every place of a text what it would have written there."""

    async def read(self, ids: Sequence[int], start: int, top: int) -> Reading: ...


async def read_all(
    small: Reader, answers: Sequence[TrainingAnswer], folder: Path, progress: Callable[[], None]
) -> dict[str, Reading]:
    """Readings by question, one a token of the answer; those in ``folder`` are not made again, unless they are of
    another answer to the question."""
    readings = {}
    for answer in answers:
        reading = _kept(answer, folder)
        if reading is None:
            path = _path(answer, folder)
            await _write(small, answer, path)
            reading = _load(path)
        readings[answer.question] = reading
        progress()
    return readings


def kept_readings(answers: Sequence[TrainingAnswer], folder: Path) -> dict[str, Reading]:
    """Those of the answers' readings that are in ``folder``, by question."""
    found = {answer.question: _kept(answer, folder) for answer in answers}
    return {question: reading for question, reading in found.items() if reading is not None}


def _kept(answer: TrainingAnswer, folder: Path) -> Reading | None:
    path = _path(answer, folder)
    reading = _load(path) if path.is_file() else None
    return reading if reading is not None and len(reading.ids) == len(answer.ids) else None


def _path(answer: TrainingAnswer, folder: Path) -> Path:
    return folder / f"{answer.question.replace('/', '_')}.npz"


async def _write(small: Reader, answer: TrainingAnswer, path: Path) -> None:
    reading = await small.read([*answer.prompt, *answer.ids], len(answer.prompt), TOP)
    await asyncio.to_thread(_save, reading, path)


def _save(reading: Reading, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, ids=reading.ids, logprobs=reading.logprobs, hidden=reading.hidden.astype(np.float16))
    partial.replace(path)


def _load(path: Path) -> Reading:
    with np.load(path) as stored:
        return Reading(stored["ids"], stored["logprobs"], stored["hidden"].astype(np.float32))
