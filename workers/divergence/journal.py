"""Append-only files of records: what is written stays, and a broken last line is one piece of work to do again."""

import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

R = TypeVar("R", bound=BaseModel)


class Journal(Generic[R]):
    """One JSON object a line in ``path``. One process writes it."""

    def __init__(self, path: Path, kind: type[R]) -> None:
        self._path = path
        self._kind = kind
        path.parent.mkdir(parents=True, exist_ok=True)
        self._mend()

    def read(self) -> list[R]:
        if not self._path.is_file():
            return []
        return [self._kind.model_validate_json(line) for line in self._path.read_bytes().splitlines()]

    def append(self, record: R) -> None:
        with self._path.open("ab") as file:
            file.write(record.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _mend(self) -> None:
        """Cut off a line that a killed process did not finish."""
        if not self._path.is_file():
            return
        data = self._path.read_bytes()
        if data and not data.endswith(b"\n"):
            with self._path.open("r+b") as file:
                file.truncate(data.rfind(b"\n") + 1)
