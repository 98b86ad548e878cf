"""Reads the text files of a folder and cuts them into passages."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ENDINGS = frozenset(
    (".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".html", ".htm", ".xml", ".tex", ".py", ".toml", ".yaml", ".yml")
)
_LARGEST_FILE = 4 * 1024**2
_MOST_FILES = 20_000
_PASSAGE = 1_200


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A file below the folder. ``name`` is its path from there; ``stamp`` changes when its contents do."""

    name: str
    path: Path
    stamp: str


def files_below(folder: Path) -> Iterator[DocumentFile]:
    """The text files of the folder, at most 20,000 and 4 MiB each. Hidden files are left out, and so is whatever a
    link leads to: it may lie outside."""
    count = 0
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(".") or path.suffix.lower() not in _ENDINGS or path.is_symlink():
                continue
            status = path.stat()
            if status.st_size > _LARGEST_FILE:
                continue
            count += 1
            if count > _MOST_FILES:
                return
            stamp = f"{status.st_mtime_ns}:{status.st_size}"
            yield DocumentFile(str(path.relative_to(folder)), path, stamp)


def passages(text: str) -> Iterator[str]:
    """Pieces of about 1,200 characters, cut between paragraphs where there are any."""
    piece = ""
    for paragraph in text.split("\n\n"):
        for start in range(0, max(len(paragraph), 1), _PASSAGE):
            part = paragraph[start : start + _PASSAGE]
            if piece and len(piece) + len(part) > _PASSAGE:
                yield piece
                piece = ""
            piece = f"{piece}\n\n{part}" if piece else part
    if piece.strip():
        yield piece
