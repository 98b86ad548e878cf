"""The model hub over HTTPS, resumed with Range requests."""

import os
from collections.abc import Mapping
from pathlib import Path

import httpx

from workers.model_files.catalogue import HubSource, ModelFile
from workers.model_files.errors import MirrorFailed
from workers.model_files.mirror import Progress

DEFAULT_HUB = "https://huggingface.co"
_CHUNK = 1 << 20
_STALLS = 3


class Hub:
    """A hub with the layout ``{base}/{repository}/resolve/main/{file}``; ``connect_seconds`` bounds an absent one."""

    def __init__(self, base: str = DEFAULT_HUB, connect_seconds: float = 5.0, read_seconds: float = 30.0) -> None:
        self.name = f"model hub {base}"
        self._base = base.rstrip("/")
        self._timeout = httpx.Timeout(read_seconds, connect=connect_seconds)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Hub":
        return cls(environment.get("HF_ENDPOINT") or DEFAULT_HUB)

    def offers(self, file: ModelFile) -> bool:
        return file.hub is not None

    def fetch(self, file: ModelFile, part: Path, progress: Progress) -> None:
        if file.hub is None:
            raise MirrorFailed(f"no repository is known for {file.name}")
        stalls = 0
        with httpx.Client(timeout=self._timeout, follow_redirects=True) as client:
            while (have := _size(part)) < file.size:
                try:
                    self._append(client, file.hub, part, file.size, progress)
                except httpx.ConnectError as error:
                    raise MirrorFailed(f"cannot connect ({error})") from error
                except httpx.TransportError as error:
                    # A connection that broke off is worth taking up again as long as each try brings bytes.
                    stalls = 0 if _size(part) > have else stalls + 1
                    if stalls >= _STALLS or isinstance(error, httpx.ConnectTimeout):
                        raise MirrorFailed(_broke_off(error, _size(part), file.size)) from error
                    progress.note(f"{_broke_off(error, _size(part), file.size)}; going on from there")

    def read(self, source: HubSource, most: int) -> bytes | None:
        """A small file whole, of at most ``most`` bytes; None where the repository has none of that name.

        Raises ``MirrorFailed``.
        """
        url = self._url(source)
        with httpx.Client(timeout=self._timeout, follow_redirects=True) as client:
            stalls = 0
            while True:
                try:
                    return _whole(client, url, most)
                except httpx.RequestError as error:
                    stalls += 1
                    if stalls >= _STALLS or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                        raise MirrorFailed(f"{url}: {type(error).__name__}: {error}") from error

    def _url(self, source: HubSource) -> str:
        return f"{self._base}/{source.repository}/resolve/main/{source.filename}"

    def _append(self, client: httpx.Client, source: HubSource, part: Path, size: int, progress: Progress) -> None:
        have = _size(part)
        url = self._url(source)
        headers = (
            {"Range": f"bytes={have}-", "Accept-Encoding": "identity"} if have else {"Accept-Encoding": "identity"}
        )
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code not in (200, 206):
                raise MirrorFailed(f"{url} answered {response.status_code}")
            resumed = response.status_code == 206
            written = have if resumed else 0
            with part.open("ab" if resumed else "wb") as out:
                for chunk in response.iter_bytes(_CHUNK):
                    written += len(chunk)
                    if written > size:
                        raise MirrorFailed(f"{url} sent more than the {size} bytes the file has")
                    out.write(chunk)
                    progress.at(written)
        if written < size:
            raise httpx.RemoteProtocolError(f"the connection ended at byte {written}")

    def discard(self, part: Path) -> None:
        part.unlink(missing_ok=True)


def _whole(client: httpx.Client, url: str, most: int) -> bytes | None:
    with client.stream("GET", url) as response:
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.status_code != httpx.codes.OK:
            raise MirrorFailed(f"{url} answered {response.status_code}")
        data = bytearray()
        for chunk in response.iter_bytes(_CHUNK):
            data += chunk
            if len(data) > most:
                raise MirrorFailed(f"{url} is larger than {most} bytes")
        return bytes(data)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _broke_off(error: Exception, have: int, size: int) -> str:
    return f"broke off at byte {have} of {size} ({type(error).__name__}: {error})"
