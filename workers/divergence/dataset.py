"""Labels and readings as arrays to train on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.divergence.features import greedy_scalars
from workers.divergence.labelling import mismatches
from workers.divergence.records import Label, TrainingAnswer
from workers.divergence.trained_head import TokenTable
from workers.engines.torch_engine import Reading


class TooFewLabels(Exception):
    """There is nothing to train on; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One row for each place of the answers up to where they are labelled: ``inputs`` (n, features), the small
    model's last ``hidden`` state (n, width), ``divergent`` (n, 0 or 1) and the number of the ``question`` (n)."""

    inputs: NDArray[np.float32]
    hidden: NDArray[np.float32]
    divergent: NDArray[np.float32]
    question: NDArray[np.int64]

    @property
    def questions(self) -> int:
        return int(self.question.max()) + 1


def build_dataset(
    answers: Sequence[TrainingAnswer], readings: Mapping[str, Reading], labels: Sequence[Label], table: TokenTable
) -> Dataset:
    """Raises ``TooFewLabels`` where fewer than five answers have labels or none of their tokens is divergent."""
    judged = {(label.question, label.position): label.divergent for label in labels}
    parts = []
    for answer in answers:
        reading = readings.get(answer.question)
        length = 0 if reading is None else _labelled(answer, reading, judged)
        if reading is None or not length:
            continue
        marks = [float(judged.get((answer.question, position), False)) for position in range(length)]
        parts.append((_first(reading, length), np.asarray(marks, dtype=np.float32)))
    if len(parts) < 5 or not any(marks.any() for _, marks in parts):
        raise TooFewLabels(
            f"{len(parts)} answers have labels, with {int(sum(marks.sum() for _, marks in parts))} divergent "
            "tokens; at least 5 answers with some are needed: label more"
        )
    return Dataset(
        inputs=np.concatenate([inputs_of(reading, table) for reading, _ in parts]),
        hidden=np.concatenate([reading.hidden for reading, _ in parts]),
        divergent=np.concatenate([marks for _, marks in parts]),
        question=np.concatenate([np.full(len(marks), index) for index, (_, marks) in enumerate(parts)]),
    )


def _labelled(answer: TrainingAnswer, reading: Reading, judged: Mapping[tuple[str, int], bool]) -> int:
    """How many tokens from the start have labels: mismatches are labelled in order, so an interrupted answer is known
    up to the first one that is not. 0 where none is."""
    places = mismatches(answer, reading)
    if not any((answer.question, place) in judged for place in places):
        return 0
    return next((place for place in places if (answer.question, place) not in judged), len(answer.ids))


def _first(reading: Reading, length: int) -> Reading:
    return Reading(reading.ids[:length], reading.logprobs[:length], reading.hidden[:length])


def inputs_of(reading: Reading, table: TokenTable) -> NDArray[np.float32]:
    """(n, features) of the small model's own tokens."""
    embedded = table.of(reading.ids[:, 0].astype(np.int64))
    return np.concatenate([greedy_scalars(reading.logprobs), embedded], axis=1)
