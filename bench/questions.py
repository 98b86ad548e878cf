"""Question files: one JSON object a line, as in the development split, read from wherever the caller says."""

import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice, zip_longest
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from agents.problem import AnswerForm

DATA_VARIABLE = "TANDEM_BENCH_DATA"
_FORMS: dict[str, AnswerForm] = {
    "number": "number",
    "latex": "expression",
    "letter": "choice",
    "yes-no": "yes-no",
    "code": "code",
}

_VERDICTS = {"yes", "no", "true", "false"}


class Question(BaseModel):
    """One row; ``answer_type`` says how to compare. ``level``, ``subject`` and ``subtask`` as the source has them,
    ``answerable`` False where something is missing on purpose; ``prompt``, ``test`` and ``entry_point`` for code.
    Questions with the same ``split_key`` belong on one side of a split."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    question: str
    answer: str
    kind: str
    answer_type: str
    level: int | str | None = None
    subject: str | None = None
    subtask: str | None = None
    answerable: bool | None = None
    prompt: str = ""
    test: str = ""
    entry_point: str = ""
    split_key: str = ""

    @property
    def form(self) -> AnswerForm:
        if self.answer_type == "label":
            return "number"  # what its author meant to ask for, had nothing been left out
        if self.answer_type == "text" and self.answer.strip().lower() in _VERDICTS:
            return "yes-no"
        return _FORMS.get(self.answer_type, "text")


class NoQuestions(Exception):
    """The questions cannot be read; the message says where they were looked for, or which line is wrong."""


def data_folder(given: Path | None) -> Path:
    """The folder given, else $TANDEM_BENCH_DATA. Raises ``NoQuestions``."""
    folder = given or (Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None)
    if folder is None or not folder.is_dir():
        raise NoQuestions(f"there is no folder {folder}: give --data DIR or set {DATA_VARIABLE} to one with NAME.jsonl")
    return folder


def _any(question: Question) -> bool:
    return True


def read_questions(folder: Path, dataset: str, rows: int, wanted: Callable[[Question], bool] = _any) -> list[Question]:
    """The first ``rows`` questions of a data set that are ``wanted``. Raises ``NoQuestions``."""
    path = folder / f"{dataset}.jsonl"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.jsonl")))
        raise NoQuestions(f"there is no data set {dataset!r} in {folder}; there are: {known}")
    return list(islice(filter(wanted, _lines(path)), rows))


def spread_questions(
    folder: Path, dataset: str, rows: int, wanted: Callable[[Question], bool] = _any
) -> list[Question]:
    """``rows`` of the ``wanted`` questions, one of every subject or subtask, with and without an answer, in turn, since
    files are sorted by them: fewer rows are the first of more. Raises ``NoQuestions``."""
    kinds: dict[tuple[str, bool], list[Question]] = {}
    for question in read_questions(folder, dataset, sys.maxsize, wanted):
        kind = question.subtask or question.subject or "", question.answer_type == "label"
        kinds.setdefault(kind, []).append(question)
    turns = zip_longest(*kinds.values())
    return [question for turn in turns for question in turn if question is not None][:rows]


def _lines(path: Path) -> Iterator[Question]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _question(line, f"{path}, line {number}")


def _question(line: bytes, place: str) -> Question:
    try:
        return Question.model_validate(orjson.loads(line))
    except orjson.JSONDecodeError as error:
        raise NoQuestions(f"{place} is no JSON ({error}); a question file has one object a line") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the line'}: {one['msg']}" for one in error.errors())
        raise NoQuestions(f"{place} is no question ({faults}); docs/benchmarks.md says what one has") from error
