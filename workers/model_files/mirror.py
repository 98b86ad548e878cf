"""The seam between the fetcher and the places that hold model files."""

from pathlib import Path
from typing import Protocol

from workers.model_files.catalogue import ModelFile


class Progress(Protocol):
    """Where a download says how far it is, in bytes; ``done`` may fall when a mirror starts again."""

    def start(self, title: str, total: int) -> None: ...

    def at(self, done: int) -> None: ...

    def note(self, text: str) -> None: ...

    def close(self) -> None: ...


class Mirror(Protocol):
    """A place that may hold a file's bytes."""

    name: str

    def offers(self, file: ModelFile) -> bool:
        """Whether trying makes sense; says nothing of whether the mirror can be reached."""
        ...

    def fetch(self, file: ModelFile, part: Path, progress: Progress) -> None:
        """Leave the whole file at ``part``, going on from what an interrupted fetch left there.

        Raises ``MirrorFailed``, and may leave an incomplete ``part`` for the next attempt. The digest is the
        caller's to check.
        """
        ...

    def discard(self, part: Path) -> None:
        """Remove ``part`` and whatever the mirror remembers of it."""
        ...
