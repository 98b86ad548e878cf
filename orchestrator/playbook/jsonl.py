"""The playbook as a file: one entry a line, without its owner, so that it can be given to another one."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from orchestrator.playbook.entry import Entry, Evidence

_LINE_CHARACTERS = 64 * 1024
_SHOWN = 80


class BadLine(Exception):
    """A line that is no entry; the message says which and why."""


def line_of(entry: Entry) -> str:
    """An entry as one line, its end included."""
    return entry.model_dump_json(exclude={"owner"}) + "\n"


def read_lines(lines: Iterable[str], owner: str, *, anew: bool = False) -> Iterator[Entry]:
    """The entries of a file, for ``owner``. With ``anew`` they are candidates that have proved nothing yet, as fits
    what was learned elsewhere; a disabled one stays disabled. Empty lines are skipped. Raises ``BadLine``."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            entry = _entry(number, line, owner)
            yield _unproved(entry) if anew else entry


def _entry(number: int, line: str, owner: str) -> Entry:
    if len(line) > _LINE_CHARACTERS:
        raise BadLine(f"line {number} is {len(line)} characters long, and an entry has at most {_LINE_CHARACTERS}")
    try:
        values: Any = json.loads(line)
    except ValueError as error:
        raise BadLine(f"line {number} is not JSON ({error}): {line.strip()[:_SHOWN]!r}") from error
    if not isinstance(values, dict):
        raise BadLine(f"line {number} is not a JSON object: {line.strip()[:_SHOWN]!r}")
    try:
        return Entry.model_validate({**values, "owner": owner})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        shown = repr(first["input"])[:_SHOWN]
        raise BadLine(f"line {number} is no entry: {place} cannot be {shown}: {first['msg']}") from error


def _unproved(entry: Entry) -> Entry:
    status = "disabled" if entry.status == "disabled" else "candidate"
    counts = {"wins": 0.0, "trials": 0, "tokens": 0, "cost": 0.0, "alone_wins": 0.0, "alone_trials": 0}
    fresh = {"evidence": Evidence(), "rank": 1, "provenance": ()}
    return entry.model_copy(update={"status": status, **counts, **fresh})
