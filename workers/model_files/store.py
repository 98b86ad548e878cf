"""The cache of model files: ``<sha256>.gguf`` each, with a note of the last time its digest was checked."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.model_files.catalogue import ModelFile

MODELS_DIRECTORY = Path("~/.cache/tandem/models")
_CHUNK = 1 << 22


class ModelStore:
    """One folder of model files. Safe for several processes: whoever fetches a file holds its lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def directory(self) -> Path:
        return self._directory

    def path(self, sha256: str) -> Path:
        return self._directory / f"{sha256.lower()}.gguf"

    def part(self, file: ModelFile, mirror: str) -> Path:
        """Where the unfinished bytes from one kind of mirror lie; other mirrors cut the file differently."""
        return self._directory / f"{file.sha256}.{mirror}.part"

    def verified(self, path: Path, sha256: str) -> bool:
        """Whether the bytes at ``path`` have that digest.

        A file is read through once; after that its size and modification time stand for its bytes.
        """
        if not path.is_file():
            return False
        note = self._directory / f"{sha256.lower()}.json"
        if _read(note) == _fingerprint(path):
            return True
        if digest_of(path) != sha256.lower():
            return False
        self.remember(path, sha256)
        return True

    def remember(self, path: Path, sha256: str, name: str = "") -> None:
        """Note that ``path`` was read and has that digest; ``name`` is for people who look into the folder."""
        self._directory.mkdir(parents=True, exist_ok=True)
        note = self._directory / f"{sha256.lower()}.json"
        fresh = note.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(json.dumps({"name": name or path.name, **_fingerprint(path)}))
        fresh.replace(note)

    @contextmanager
    def locked(self, sha256: str) -> Iterator[bool]:
        """Hold the file's lock; yields whether another process had it first. The kernel frees it if we die."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / f"{sha256.lower()}.lock").open("w") as lock:
            waited = False
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited = True
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield waited


def digest_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _fingerprint(path: Path) -> dict[str, object]:
    status = path.stat()
    return {"path": str(path.resolve()), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _read(note: Path) -> dict[str, object] | None:
    try:
        content = json.loads(note.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return {key: content.get(key) for key in ("path", "size", "mtime_ns")}
