"""Files that runs' programs wrote: on disk, bounded in every direction, forgotten after a week."""

import asyncio
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_RUN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_SWEEP_SECONDS = 600.0
_PARTIAL = ".partial"

# What a browser may be told a file is; anything else is bytes.
_MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".pdf": "application/pdf",
    ".json": "application/json",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".md": "text/plain",
    ".py": "text/plain",
    ".html": "text/plain",
}


class ArtifactRefused(ValueError):
    """The file cannot be kept; the message says which bound it breaks."""


class UnknownArtifact(LookupError):
    """The run has no such file, or it has expired."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the run has no file {name[:100]!r}; files are kept for a limited time")


@dataclass(frozen=True, slots=True)
class Artifact:
    """``size`` in bytes."""

    name: str
    media_type: str
    size: int


class ArtifactStore:
    """Files by run and name. Who may read a run's files is the caller's to check, as for the run itself.

    ``folder`` may be shared by several processes of one machine.
    """

    def __init__(
        self,
        folder: Path,
        *,
        file_bytes: int = 8 * 2**20,
        run_bytes: int = 32 * 2**20,
        run_files: int = 32,
        total_bytes: int = 2 * 2**30,
        keep_seconds: float = 7 * 86_400,
    ) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._run_bytes = run_bytes
        self._run_files = run_files
        self._total_bytes = total_bytes
        self._keep_seconds = keep_seconds
        self._swept = 0.0

    async def put(self, run: str, name: str, data: bytes) -> Artifact:
        """Keep a file under the run, in place of an earlier one of that name. Raises ``ArtifactRefused``."""
        return await asyncio.to_thread(self._put, run, name, data)

    async def get(self, run: str, name: str) -> tuple[Artifact, bytes]:
        """Raises ``UnknownArtifact``."""
        return await asyncio.to_thread(self._get, run, name)

    async def remove(self, run: str) -> None:
        """Forget all files of a run."""
        if _RUN.fullmatch(run):
            await asyncio.to_thread(shutil.rmtree, self._folder / run, ignore_errors=True)

    def _put(self, run: str, name: str, data: bytes) -> Artifact:
        if not _RUN.fullmatch(run) or not _NAME.fullmatch(name) or name.endswith(_PARTIAL):
            raise ArtifactRefused(f"{name[:100]!r} is no file name that can be kept: letters, digits, '.', '_' and '-'")
        if len(data) > self._file_bytes:
            raise ArtifactRefused(f"{name!r} has {len(data)} bytes; at most {self._file_bytes} are kept of one file")
        self._sweep()
        folder = self._folder / run
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        others = [path.stat().st_size for path in folder.iterdir() if path.name != name]
        if len(others) >= self._run_files or sum(others) + len(data) > self._run_bytes:
            raise ArtifactRefused(
                f"{name!r} is too much: a run keeps at most {self._run_files} files of {self._run_bytes} bytes in all"
            )
        partial = folder / (name + _PARTIAL)
        partial.write_bytes(data)
        partial.replace(folder / name)
        return _artifact(name, len(data))

    def _get(self, run: str, name: str) -> tuple[Artifact, bytes]:
        if not _RUN.fullmatch(run) or not _NAME.fullmatch(name) or name.endswith(_PARTIAL):
            raise UnknownArtifact(name)
        path = self._folder / run / name
        try:
            if path.stat().st_mtime < time.time() - self._keep_seconds:
                raise UnknownArtifact(name)
            data = path.read_bytes()
        except (FileNotFoundError, IsADirectoryError) as error:
            raise UnknownArtifact(name) from error
        return _artifact(name, len(data)), data

    def _sweep(self) -> None:
        """Drop what has expired, and the oldest where all together is too much."""
        now = time.time()
        if now - self._swept < _SWEEP_SECONDS or not self._folder.is_dir():
            return
        self._swept = now
        runs = [(path.stat().st_mtime, _size(path), path) for path in self._folder.iterdir() if path.is_dir()]
        total = sum(size for _, size, _ in runs)
        for changed, size, path in sorted(runs):
            if changed >= now - self._keep_seconds and total <= self._total_bytes:
                return
            shutil.rmtree(path, ignore_errors=True)
            total -= size


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _artifact(name: str, size: int) -> Artifact:
    return Artifact(name, _MEDIA_TYPES.get(Path(name).suffix.lower(), "application/octet-stream"), size)
