"""The index of a folder: built on first use, brought up to date when files change."""

import re
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tools.documents.passages import files_below, passages

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (name TEXT PRIMARY KEY, stamp TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS passage USING fts5(name UNINDEXED, body, tokenize = 'porter unicode61');
"""
_WORD = re.compile(r"\w+")
_MOST_WORDS = 32
_FRESH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found in the file ``name``, a path from the folder."""

    name: str
    text: str


class DocumentIndex:
    """Blocks: call it off the event loop. ``path`` is where the index is kept; it can be rebuilt at any time."""

    def __init__(self, folder: Path, path: Path) -> None:
        self._folder = folder
        self._path = path
        self._lock = threading.Lock()
        self._looked = -_FRESH_SECONDS

    def search(self, query: str, results: int) -> Sequence[Passage]:
        """The passages that fit best, by BM25; first those that hold every word of the query.

        Raises ``OSError`` where the folder cannot be read and ``sqlite3.Error`` where the index cannot be kept.
        """
        words = [f'"{word}"' for word in _WORD.findall(query)[:_MOST_WORDS]]
        if not words:
            return ()
        with self._lock, closing(self._open()) as connection:
            self._refresh(connection)
            for operator in (" AND ", " OR "):
                rows = connection.execute(
                    "SELECT name, body FROM passage WHERE passage MATCH ? ORDER BY bm25(passage) LIMIT ?",
                    (operator.join(words), results),
                ).fetchall()
                if rows:
                    return tuple(Passage(name, body) for name, body in rows)
        return ()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path)
        connection.executescript(_SCHEMA)
        return connection

    def _refresh(self, connection: sqlite3.Connection) -> None:
        if time.monotonic() - self._looked < _FRESH_SECONDS:
            return
        if not self._folder.is_dir():
            raise NotADirectoryError(f"{self._folder} is no folder; set [documents] folder")
        known = dict(connection.execute("SELECT name, stamp FROM file").fetchall())
        present = {file.name: file for file in files_below(self._folder)}
        changed = [file for file in present.values() if known.get(file.name) != file.stamp]
        with connection:
            for name in (known.keys() - present.keys()) | {file.name for file in changed}:
                connection.execute("DELETE FROM passage WHERE name = ?", (name,))
                connection.execute("DELETE FROM file WHERE name = ?", (name,))
            for file in changed:
                text = file.path.read_text(encoding="utf-8", errors="replace")
                rows = [(file.name, passage) for passage in passages(text)]
                connection.executemany("INSERT INTO passage VALUES (?, ?)", rows)
                connection.execute("INSERT INTO file VALUES (?, ?)", (file.name, file.stamp))
        self._looked = time.monotonic()
