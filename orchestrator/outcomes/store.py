"""Outcomes in a folder: one Parquet file a batch, which is changed only to forget."""

import os
import time
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.outcomes.parquet import from_table, to_table
from routers.outcome import Outcome

Key = tuple[str, str, int, str]


class OutcomesUnreadable(Exception):
    """A file in the folder holds no outcomes; the message names it."""


def key_of(outcome: Outcome) -> Key:
    """What an outcome is of: question (or run), route, seed and build. A later outcome of the same replaces it."""
    return outcome.id, outcome.route, outcome.seed, outcome.build


class OutcomeStore:
    """Several processes may append at once: each batch becomes a file of its own, which appears whole or not at all.
    Every method reads or writes files: call them off the event loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        # Names sort by time, so that the last word on an attempt is read last.
        self._write(f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet", outcomes)

    def remove(self, ids: Collection[str]) -> None:
        """Forget every outcome of these questions or runs. Raises ``OutcomesUnreadable``."""
        for path in sorted(self.folder.glob("*.parquet")) if ids else ():
            outcomes = _read(path)
            kept = [outcome for outcome in outcomes if outcome.id not in ids]
            if not kept:
                path.unlink()
            elif len(kept) < len(outcomes):
                self._write(path.name, kept)

    def _write(self, name: str, outcomes: Sequence[Outcome]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{name}.part"
        # Questions are what people asked: nobody else on the machine reads them.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            pq.write_table(to_table(outcomes), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / name)

    def read(self) -> list[Outcome]:
        """Every outcome once, as it was last recorded, in the order of first appearance. Raises
        ``OutcomesUnreadable``."""
        newest: dict[Key, Outcome] = {}
        for path in sorted(self.folder.glob("*.parquet")):
            newest |= {key_of(outcome): outcome for outcome in _read(path)}
        return list(newest.values())

    def known(self) -> set[Key]:
        """Raises ``OutcomesUnreadable``."""
        return {key_of(outcome) for outcome in self.read()}


def _read(path: Path) -> list[Outcome]:
    try:
        return from_table(pq.read_table(path))
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise OutcomesUnreadable(
            f"{path} is no file of outcomes ({error}); move it out of the folder and try again"
        ) from error
