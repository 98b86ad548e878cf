"""Where in a TOML file a key stands: ``tomllib`` gives values only, and an error message needs the line."""

import tomllib
from typing import Any

Path = tuple[str, ...]


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) where each key path of a valid TOML ``text`` is written, tables included.

    A statement is the shortest run of lines that parses by itself, so strings and arrays over several lines need no
    special care. Keys inside an inline table are given the line where its statement begins.
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    pending, first = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first or number
        pending += line + "\n"
        try:
            parsed = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        paths = _paths(parsed)
        if pending.lstrip().startswith("["):
            table = paths[-1] if paths else ()
            _note(lines, table, first)
        else:
            for path in paths:
                _note(lines, table + path, first)
        pending, first = "", 0
    return lines


def _note(lines: dict[Path, int], path: Path, line: int) -> None:
    for length in range(1, len(path) + 1):
        lines.setdefault(path[:length], line)


def _paths(value: Any, prefix: Path = ()) -> list[Path]:
    """Every path below ``value``, outer before inner; the items of an array go by their index."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    paths: list[Path] = []
    for key, inner in items:
        path = (*prefix, str(key))
        paths += [path, *_paths(inner, path)]
    return paths
