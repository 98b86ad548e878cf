"""Folders of models' tokenizers: on this machine, in Hugging Face's cache, or fetched from the model hub."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from workers.model_files.catalogue import HubSource
from workers.model_files.errors import MirrorFailed, ModelUnavailable
from workers.model_files.hub import Hub
from workers.model_files.store import ModelStore

# A folder that is fetched is whole when it has the last of them.
_FILES = ("chat_template.jinja", "tokenizer_config.json", "config.json")
_NEEDED = _FILES[1:]
_LONGEST = 1 << 25
_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_WAY_OUT = (
    "set `tokenizer` of its engine in tandem.toml to a copy of the model's folder (config.json, tokenizer_config.json "
    "and the chat template are enough)"
)


class TokenizerFolders:
    """``directory`` keeps what is fetched from ``hub``; ``cache`` is Hugging Face's, where an engine on this machine
    that fetched the model has left the same files."""

    def __init__(self, directory: Path, hub: Hub, cache: Path) -> None:
        self._directory = directory
        self._hub = hub
        self._cache = cache

    @classmethod
    def from_environment(cls, directory: Path, environment: Mapping[str, str] = os.environ) -> "TokenizerFolders":
        return cls(directory.expanduser(), Hub.from_environment(environment), _cache(environment))

    def find(self, named: str) -> Path:
        """The folder at the path ``named``, or of the hub's repository of that name (``owner/name``).

        Raises ``ModelUnavailable``.
        """
        folder = Path(named).expanduser()
        if folder.is_dir():
            return folder
        if not _REPOSITORY.fullmatch(named):
            raise ModelUnavailable(f"the tokenizer folder {named} is not on this machine; {_WAY_OUT}")
        try:
            return _snapshot(self._cache, named) or self._fetched(named)
        except (MirrorFailed, OSError) as error:
            raise ModelUnavailable(
                f"the tokenizer {named!r} is no folder here, is not in Hugging Face's cache {self._cache}, and could "
                f"not be fetched into {self._directory}: {self._hub.name}: {error}; {_WAY_OUT}, or set HF_ENDPOINT to "
                "a mirror that can be reached"
            ) from error

    def _fetched(self, repository: str) -> Path:
        folder = self._directory / repository.replace("/", "--")
        if _whole(folder):
            return folder
        with ModelStore(self._directory).locked(folder.name):
            if not _whole(folder):
                self._fetch(repository, folder)
        return folder

    def _fetch(self, repository: str, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for name in _FILES:
            data = self._hub.read(HubSource(repository, name), _LONGEST)
            if data is not None:
                fresh = folder / f"{name}.new"
                fresh.write_bytes(data)
                fresh.replace(folder / name)
            elif name in _NEEDED:
                raise MirrorFailed(f"repository {repository} has no {name}")


def _whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _NEEDED)


def _snapshot(cache: Path, repository: str) -> Path | None:
    """The folder of the repository's newest files in Hugging Face's cache, if the needed ones are there."""
    root = cache / f"models--{repository.replace('/', '--')}"
    newest = root / "refs" / "main"
    if not newest.is_file():
        return None
    folder = root / "snapshots" / newest.read_text().strip()
    return folder if _whole(folder) else None


def _cache(environment: Mapping[str, str]) -> Path:
    """Where Hugging Face's own library would keep what it fetches."""
    if named := environment.get("HF_HUB_CACHE"):
        return Path(named).expanduser()
    home = environment.get("HF_HOME") or f"{environment.get('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    return Path(home).expanduser() / "hub"
