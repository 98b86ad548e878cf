"""Bring your own: a GGUF file, or a folder that holds one, used where it lies."""

from pathlib import Path

from workers.model_files.catalogue import ModelFile, find
from workers.model_files.errors import ModelUnavailable
from workers.model_files.store import ModelStore, digest_of

_MAGIC = b"GGUF"


def use_local(place: Path, sha256: str, store: ModelStore) -> Path:
    """The file at ``place`` (a file, or a folder with it), checked against ``sha256`` unless that is empty.

    Raises ``ModelUnavailable`` when it is absent, is no GGUF file, or has another digest.
    """
    path = _pick(place, sha256) if place.is_dir() else place
    if not path.is_file():
        raise ModelUnavailable(f"model file {path} does not exist; correct `file` in tandem.toml, or leave it empty")
    with path.open("rb") as source:
        if source.read(len(_MAGIC)) != _MAGIC:
            raise ModelUnavailable(f"{path} is not a GGUF file (it does not begin with 'GGUF'); name one in `file`")
    if sha256 and not store.verified(path, sha256):
        raise ModelUnavailable(
            f"{path} has sha256 {digest_of(path)}, tandem.toml says {sha256}; correct or remove `sha256`"
        )
    return path


def in_folder(folder: Path, file: ModelFile) -> Path | None:
    """The file in ``folder`` that goes by the known name or by the digest."""
    candidates = (folder / f"{file.sha256}.gguf", folder / file.name)
    return next((path for path in candidates if path.is_file()), None)


def _pick(folder: Path, sha256: str) -> Path:
    known = find(sha256) if sha256 else None
    if known is not None and (path := in_folder(folder, known)) is not None:
        return path
    found = sorted(folder.glob("*.gguf"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ModelUnavailable(f"folder {folder} holds {len(found)} GGUF files ({names}); name one of them in `file`")
    return found[0]
