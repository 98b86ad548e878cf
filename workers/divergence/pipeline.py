"""From questions to a head: answers, readings, labels, training; every step goes on where it was interrupted."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workers.collaboration.protocol import VocabulariesDiffer
from workers.collaboration.vocabularies import Vocabulary, same_vocabulary
from workers.divergence.dataset import build_dataset
from workers.divergence.journal import Journal
from workers.divergence.labelling import Labeller, fitting, mismatches
from workers.divergence.large_answers import answer_all
from workers.divergence.readings import Reader, kept_readings, read_all
from workers.divergence.records import Label, TrainingAnswer, TrainingQuestion
from workers.divergence.token_table import reduce_embeddings
from workers.divergence.trained_head import HeadCard, TokenTable, TrainedHead
from workers.divergence.training import train_head
from workers.divergence.training_options import TrainingOptions
from workers.engines.protocol import Engine
from workers.engines.torch_engine import Reading

_ANSWER_TOKENS = 512


class SmallModel(Reader, Vocabulary, Protocol):
    """The small model where its insides can be seen."""

    async def embeddings(self) -> NDArray[np.float32]: ...


class OtherPair(Exception):
    """The folder holds the work of another pair of models, or cannot be told to hold that of this one; the message
    names both."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models by the sha256 of their files."""

    small: str
    large: str


@dataclass(frozen=True, slots=True)
class Labelled:
    answers: Sequence[TrainingAnswer]
    readings: Mapping[str, Reading]
    labels: Sequence[Label]
    table: TokenTable


class Pipeline:
    """Works in ``folder``, which belongs to one ``pair``. ``say`` hears a line on every piece of work that is done."""

    def __init__(self, folder: Path, pair: Pair, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._pair = pair
        self._say = say
        self._claim()

    async def label(
        self, small: SmallModel, large: Engine, questions: Sequence[TrainingQuestion], wanted: int
    ) -> Labelled:
        """At least ``wanted`` judged mismatches, as far as ``questions`` have that many. Raises
        ``VocabulariesDiffer``."""
        if not await same_vocabulary(small, large):
            raise VocabulariesDiffer(
                "the two models have different tokenizers, so the policy divergence cannot mix their tokens; train a "
                "head for a pair from one family"
            )
        answers = Journal(self._folder / "answers.jsonl", TrainingAnswer)
        given = await answer_all(large, questions, answers, _ANSWER_TOKENS, self._counter("answers", len(questions)))
        finished = [answer for answer in given if answer.finished]
        readings = await read_all(small, finished, self._folder / "readings", self._counter("readings", len(finished)))
        table = await self._table(small)
        expected = min(wanted, sum(len(mismatches(answer, readings[answer.question])) for answer in finished))
        labeller = Labeller(large, Journal(self._folder / "labels.jsonl", Label))
        labels = await labeller.label_all(
            finished, readings, wanted, lambda done: self._say(f"labels: {done} of {expected}")
        )
        return Labelled(finished, readings, labels, table)

    def kept(self, questions: Sequence[TrainingQuestion], wanted: int) -> Labelled | None:
        """What ``label`` would give where the folder holds all of it already; None where a model has to be asked."""
        known = {answer.question: answer for answer in Journal(self._folder / "answers.jsonl", TrainingAnswer).read()}
        given = [known[question.id] for question in questions if question.id in known]
        finished = [answer for answer in given if answer.finished]
        readings = kept_readings(finished, self._folder / "readings")
        table = self._folder / "tokens.npz"
        if len(given) < len(questions) or len(readings) < len(finished) or not table.is_file():
            return None
        labels = fitting(Journal(self._folder / "labels.jsonl", Label).read(), finished)
        expected = min(wanted, sum(len(mismatches(answer, readings[answer.question])) for answer in finished))
        return Labelled(finished, readings, labels, _load_table(table)) if len(labels) >= expected else None

    def train(self, labelled: Labelled, options: TrainingOptions) -> TrainedHead:
        """Raises ``TooFewLabels``."""
        data = build_dataset(labelled.answers, labelled.readings, labelled.labels, labelled.table)
        trained = train_head(data, options)
        card = HeadCard(
            small=self._pair.small,
            large=self._pair.large,
            threshold=trained.threshold,
            blocks=options.blocks,
            seed=options.seed,
            labels=len(labelled.labels),
            metrics=trained.metrics,
        )
        return TrainedHead(card, trained.weights, labelled.table)

    async def _table(self, small: SmallModel) -> TokenTable:
        path = self._folder / "tokens.npz"
        if not path.is_file():
            table = await asyncio.to_thread(reduce_embeddings, await small.embeddings())
            await asyncio.to_thread(_save_table, table, path)
        return await asyncio.to_thread(_load_table, path)

    def _counter(self, what: str, total: int) -> Callable[[], None]:
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            self._say(f"{what}: {done} of {total}")

        return advance

    def _claim(self) -> None:
        if not self._pair.small or not self._pair.large:
            raise OtherPair(
                f"the models have sha256 {self._pair.small or 'unknown'} and {self._pair.large or 'unknown'}, so their "
                "labels and their head could be taken for another pair's; set `sha256` of both under [models.NAME]"
            )
        path = self._folder / "pair.json"
        mine = {"small": self._pair.small, "large": self._pair.large}
        if path.is_file():
            theirs = json.loads(path.read_text())
            if theirs != mine:
                raise OtherPair(f"{self._folder} holds the labels of {theirs}, not of {mine}; give another folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(mine))


def _save_table(table: TokenTable, path: Path) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, codes=table.codes, scale=table.scale)


def _load_table(path: Path) -> TokenTable:
    with np.load(path) as stored:
        return TokenTable(stored["codes"], stored["scale"])
