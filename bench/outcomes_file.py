"""Benchmark outcomes as one file without a word of the questions, and back with the questions from a data folder.

The file can lie in a repository that holds no questions: another machine takes the texts from its own question files,
by id, and learns from the same outcomes without generating anything.
"""

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.questions import read_questions
from orchestrator.outcomes.parquet import from_table, to_table
from orchestrator.outcomes.store import Key, OutcomeStore, key_of
from routers.outcome import Outcome

_LEFT_AWAY = ["question", "source", "created"]
_ASKED = "asked"
# More is no final answer: what a model writes about a question tells its words again.
_LONGEST = 100
_RUN = 5
_WORD = re.compile(r"[^\W\d_]{2,}")
_ADDRESS = re.compile(r"\s*\w+://\S+")


class OutcomesFileUnreadable(Exception):
    """The file holds no outcomes; the message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """``outcomes`` were written, of ``questions``; of ``hidden`` the answer only as a digest. ``left`` were of real
    runs, which stay where they are."""

    outcomes: int
    questions: int
    hidden: int
    left: int


@dataclass(frozen=True, slots=True)
class Restored:
    """``added`` are new in the store, ``before`` were there; ``missing`` were left out, because the data folder does
    not have their question or words it differently, by data set."""

    added: int
    before: int
    missing: dict[str, int]


def export_outcomes(outcomes: Iterable[Outcome], path: Path) -> Exported:
    """The same outcomes make the same file. An answer that is a function, quotes its question or is longer than an
    answer needs is kept as a digest, so that equal ones are still equal. An engine's address is left away; of outcomes
    that differ in nothing else the last counts."""
    known = list(outcomes)
    wanted = [outcome for outcome in known if outcome.source == "bench" and outcome.question]
    kept = list({_wherever(outcome): outcome for outcome in wanted}.values())
    bare = [_bare(outcome) for outcome in kept]
    table = to_table(bare).drop_columns(_LEFT_AWAY)
    table = table.append_column(_ASKED, pa.array([_digest(outcome.question) for outcome in kept], pa.string()))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", compression_level=19)
    return Exported(
        outcomes=len(kept),
        questions=len({outcome.id for outcome in kept}),
        hidden=sum(new.value != old.value for new, old in zip(bare, kept, strict=True)),
        left=len(known) - len(wanted),
    )


def restore_outcomes(path: Path, data: Path, store: OutcomeStore, without: Collection[str] = ()) -> Restored:
    """Add to ``store`` what ``path`` holds, but for the data sets in ``without``, with the questions of the files in
    ``data``, in the order of the file. Raises ``OutcomesFileUnreadable``, ``NoQuestions`` and ``OutcomesUnreadable``.
    """
    table = _table(path)
    table = table.filter(pa.array([family not in without for family in table["family"].to_pylist()], pa.bool_()))
    ids, families, asked = (table[name].to_pylist() for name in ("id", "family", _ASKED))
    texts = _texts(data, set(families))
    there = [_digest(texts.get(id, "")) == digest for id, digest in zip(ids, asked, strict=True)]
    missing = Counter(family for family, found in zip(families, there, strict=True) if not found)
    known, outcomes = store.known(), _joined(table.filter(pa.array(there, pa.bool_())), texts, path)
    new = [outcome for outcome in outcomes if key_of(outcome) not in known]
    store.append(new)
    return Restored(len(new), len(outcomes) - len(new), dict(missing))


def without_address(build: str) -> str:
    """What is known of an engine's build, wherever it runs."""
    return _ADDRESS.sub("", build)


def _wherever(outcome: Outcome) -> Key:
    """Its key, wherever the engine runs."""
    return key_of(outcome.model_copy(update={"build": without_address(outcome.build)}))


def _bare(outcome: Outcome) -> Outcome:
    value = outcome.value
    if value is not None and _tells(value, outcome):
        value = f"sha256:{_digest(' '.join(value.split()).casefold())}"
    return outcome.model_copy(update={"question": "", "value": value, "build": without_address(outcome.build)})


def _tells(value: str, outcome: Outcome) -> bool:
    """Whether an answer could tell the words of its question."""
    if outcome.form == "code" or len(value) > _LONGEST:
        return True
    return bool(_runs(value) & _runs(outcome.question))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return {tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _table(path: Path) -> Any:
    """A ``pyarrow.Table``."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    lacking = {"id", "family", _ASKED} - set(table.column_names)
    if lacking:
        raise _unreadable(path, f"it lacks {', '.join(sorted(lacking))}")
    return table


def _joined(table: Any, texts: Mapping[str, str], path: Path) -> list[Outcome]:
    questions = pa.array([texts[id] for id in table["id"].to_pylist()], pa.string())
    try:
        return from_table(table.drop_columns([_ASKED]).append_column("question", questions))
    except (KeyError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception | str) -> OutcomesFileUnreadable:
    return OutcomesFileUnreadable(
        f"{path} is no file of outcomes ({error}); write one with `tandem bench outcomes export`"
    )


def _texts(data: Path, families: Collection[str]) -> dict[str, str]:
    """The question of each id in the files that are there."""
    files = [family for family in sorted(families) if (data / f"{family}.jsonl").is_file()]
    return {one.id: one.question for family in files for one in read_questions(data, family, sys.maxsize)}
