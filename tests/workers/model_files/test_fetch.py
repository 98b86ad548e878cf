"""Model files from a real HTTP server that cuts off, lies, or is not there."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import processes
from workers.model_files.catalogue import HubSource, ModelFile
from workers.model_files.errors import ModelUnavailable
from workers.model_files.fetch import fetch
from workers.model_files.hub import Hub
from workers.model_files.store import ModelStore

_BYTES = bytes(range(256)) * 16384
_FILE = ModelFile(
    name="tiny.gguf",
    sha256=hashlib.sha256(_BYTES).hexdigest(),
    size=len(_BYTES),
    hub=HubSource("owner/tiny", "tiny.gguf"),
)


class Notes:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, title: str, total: int) -> None: ...

    def at(self, done: int) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)

    def close(self) -> None: ...


class _Served(ThreadingHTTPServer):
    """Serves ``content`` with Range; the first ``cuts`` answers end after a third of what they announce."""

    def __init__(self, content: bytes, cuts: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.cuts = cuts
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Served

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        body = self.server.content[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.cuts:
            self.server.cuts -= 1
            body = body[: len(body) // 3]
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def served() -> Iterator[_Served]:
    server = _Served(_BYTES)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_download_that_breaks_off_goes_on_where_it_stopped(served: _Served, tmp_path: Path) -> None:
    served.cuts = 2
    path = fetch(_FILE, ModelStore(tmp_path), [Hub(served.url)], Notes())
    assert path.read_bytes() == _BYTES
    whole_chunks = 1 << 20  # of the third of 4 MiB that arrived
    assert served.ranges[:2] == [None, f"bytes={whole_chunks}-"]


def test_a_later_process_goes_on_with_what_an_earlier_one_left(served: _Served, tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    store.part(_FILE, "hub").write_bytes(_BYTES[:1000])
    assert fetch(_FILE, store, [Hub(served.url)], Notes()).read_bytes() == _BYTES
    assert served.ranges == ["bytes=1000-"]


def test_what_is_there_is_not_fetched_again(served: _Served, tmp_path: Path) -> None:
    for _ in range(2):
        fetch(_FILE, ModelStore(tmp_path), [Hub(served.url)], Notes())
    assert served.ranges == [None]


def test_wrong_bytes_are_thrown_away_and_the_next_mirror_is_asked(served: _Served, tmp_path: Path) -> None:
    liar = _Served(b"x" * len(_BYTES))
    thread = threading.Thread(target=liar.serve_forever)
    thread.start()
    notes = Notes()
    path = fetch(_FILE, ModelStore(tmp_path), [Hub(liar.url), Hub(served.url)], notes)
    liar.shutdown()
    liar.server_close()
    thread.join()
    assert path.read_bytes() == _BYTES
    assert any("thrown away" in note for note in notes.notes)


def test_when_no_mirror_has_it_each_is_named_with_its_reason(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{processes.free_port()}"
    with pytest.raises(ModelUnavailable) as unavailable:
        fetch(_FILE, ModelStore(tmp_path), [Hub(nobody), Hub(nobody)], Notes())
    message = str(unavailable.value)
    assert message.count(f"model hub {nobody}: cannot connect") == 2
    assert 'file = "/path/to/model.gguf"' in message


def test_a_file_that_changed_on_disk_is_not_trusted(served: _Served, tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    path = fetch(_FILE, store, [Hub(served.url)], Notes())
    path.write_bytes(b"y" * len(_BYTES))
    assert not store.verified(path, _FILE.sha256)
