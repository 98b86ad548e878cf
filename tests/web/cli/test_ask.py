"""``tandem ask`` as a process, against a gateway that is one too."""

import asyncio
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import processes
from tests.collaborate_worker import collaborate_worker
from tests.orchestrator.test_asking import ASKS, PROBLEM, SCRIPT
from tests.waiting import eventually
from tests.web.test_collaborative import SUM, Pair
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer

_TANDEM = str(Path(sys.executable).with_name("tandem"))
_SECONDS = 90


class _Place:
    """A gateway of the test's own over ``pair``; what it is told to ask comes from a process beside it."""

    def __init__(self, folder: Path, redis_url: str, pair: Pair) -> None:
        port = processes.free_port()
        self.pair = pair
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "TANDEM__STORAGE__DIRECTORY": str(folder),
            "TANDEM__MODELS__SMALL__ENGINE__URL": pair.small.url,
            "TANDEM__MODELS__LARGE__ENGINE__URL": pair.large.url,
            "TANDEM__GATEWAY__PORT": str(port),
            "REDIS_URL": redis_url,
        }
        self._log = folder / "log"

    def running(self) -> AbstractContextManager[int]:
        gateway = [sys.executable, "-m", "web.gateway"]
        return processes.running(
            gateway, lambda: processes.answers(f"{self.url}/healthz"), self._log, environment=self.environment
        )

    def ask(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return _ask(*arguments, "--url", self.url, text=text)


def _ask(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_TANDEM, "ask", *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        env={**os.environ, "COLUMNS": "300"},
    )


@pytest.fixture(scope="module")
def place(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Place]:
    worker = collaborate_worker(redis_url, tmp_path_factory.mktemp("worker") / "log")
    with ScriptedServer(Script()) as small, ScriptedServer(Script()) as large, worker:
        place = _Place(tmp_path_factory.mktemp("gateway"), redis_url, Pair(small, large))
        with place.running():
            yield place


@pytest.fixture
def asks_back(place: _Place) -> _Place:
    place.pair.small.script = place.pair.large.script = SCRIPT
    return place


@pytest.fixture
def takes_turns(place: _Place) -> _Place:
    place.pair.play(SUM)
    return place


def test_a_question_that_lacks_something_names_the_thread_in_which_the_reply_answers_it(asks_back: _Place) -> None:
    asked = asks_back.ask(PROBLEM)
    assert (asked.returncode, asked.stdout) == (0, f"{ASKS}\n")
    named = re.search(r"needs_input: reply with --thread (\w+)$", asked.stderr.rstrip())
    assert named is not None, asked.stderr
    answered = asks_back.ask("--thread", named[1], "10 in each")
    assert answered.stdout == "48\n", answered.stderr
    assert "--thread" not in answered.stderr


def test_at_a_terminal_the_reply_is_asked_for_and_the_run_goes_on(asks_back: _Place) -> None:
    typist, terminal = pty.openpty()
    asking = subprocess.Popen(
        [_TANDEM, "ask", PROBLEM, "--url", asks_back.url], stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL
    )
    os.close(terminal)
    try:
        shown = _read_until(typist, b"> ")
        os.write(typist, b"10 in each\n")
        shown += _read_until(typist, b"48")
        assert asking.wait(_SECONDS) == 0
    finally:
        asking.kill()
        asking.wait()
        os.close(typist)
    assert shown.decode().split() == f"{ASKS} > 10 in each 48".split()


def _read_until(terminal: int, last: bytes) -> bytes:
    said = b""
    while not said.endswith(last):
        said += os.read(terminal, 1024)
    return said


def test_json_of_a_question_from_standard_input_says_who_wrote_which_token(takes_turns: _Place) -> None:
    asked = takes_turns.ask("--json", "--strategy", "entropy", text="What is 2 + 3 + 2?\n")
    assert (asked.returncode, asked.stderr) == (0, "")
    run = json.loads(asked.stdout)
    assert (run["status"], run["value"]) == ("answered", "7")
    assert run["thread_id"] == run["trace"][0]["run"]
    tokens = [token for event in run["trace"] if event["type"] == "reasoning.delta" for token in event["tokens"]]
    assert "".join(token["text"] for token in tokens).strip() == SUM
    assert {token["model"] for token in tokens} == {"small", "large"}


def test_colour_tints_what_each_model_wrote(takes_turns: _Place) -> None:
    asked = takes_turns.ask("--colour", "--strategy", "entropy", "What is 2 + 3 + 2?")
    assert asked.returncode == 0, asked.stderr
    small, large = "\x1b[36m", "\x1b[1;35m"
    assert f"{small}small\x1b[0m {large}large\x1b[0m" in asked.stdout, "the legend"
    tinted = re.findall(r"\x1b\[(?:36|1;35)m(.*?)\x1b\[0m", asked.stdout, re.DOTALL)
    assert "".join(tinted[:-2]).strip() == SUM


def test_what_looks_like_markup_is_printed_as_it_was_typed(place: _Place) -> None:
    refused = place.ask("Hello?", "--model", "[/x]")
    assert refused.returncode == 1
    assert "[/x]" in refused.stderr and "Traceback" not in refused.stderr


class _Page(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        page = b"<html>This is something else.</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def website() -> Iterator[str]:
    with _served(_Page) as url:
        yield url


def test_something_else_at_the_address_is_no_gateway(website: str, redis_url: str) -> None:
    for address in (website, redis_url.replace("redis", "http").removesuffix("/0"), "nonsense"):
        asked = _ask("Hello?", "--url", address)
        assert asked.returncode == 1
        assert f"no gateway answers at {address}" in asked.stderr
        assert "--url" in asked.stderr and "Traceback" not in asked.stderr


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b'{"error": {"message": "this key has expired"}}', "status 401: this key has expired"),
        (404, b'{"error": {"message": "there is no run"}}', "status 404: there is no run"),
        (502, b"<html>Bad gateway</html>", "status 502: <html>Bad gateway</html>"),
        (503, b"", "status 503: without a word"),
        (204, b"", "has ended and its events are gone"),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_a_gateway_that_does_not_show_a_run_is_heard_out(status: int, body: bytes, said: str) -> None:
    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(202, b'{"id": "0f3c"}')

        def do_GET(self) -> None:
            self._answer(status, body)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    with _served(Gateway) as url:
        asked = _ask("Hello?", "--url", url)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert said in asked.stderr and "0f3c" in asked.stderr
    assert "stopped in the middle" not in asked.stderr


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_standard_input_that_is_no_text_is_a_fault_of_usage(locale: str) -> None:
    asked = subprocess.run(
        [_TANDEM, "ask", "--url", "http://127.0.0.1:1"],
        input=b"What is \xff?",
        capture_output=True,
        timeout=_SECONDS,
        check=False,
        env={**os.environ, "COLUMNS": "300", "LC_ALL": locale},
    )
    said = asked.stderr.decode()
    assert asked.returncode == 2
    assert "standard input is no text in utf-8: byte 0xff at position 8" in said and "Traceback" not in said


async def test_a_gateway_that_stops_in_the_middle_of_an_answer_leaves_the_name_of_the_run(
    tmp_path: Path, redis_url: str, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=Reply(texts=("and on ",), delay=0.02, endless=True))
    place = _Place(tmp_path, redis_url, Pair(scripted, scripted))
    with place.running() as pid:
        asking = await asyncio.create_subprocess_exec(
            _TANDEM,
            *("ask", "Tell me a story.", "--url", place.url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "COLUMNS": "300"},
        )
        try:
            await eventually(lambda: scripted.stats.tokens > 3, seconds=30)
            os.kill(pid, signal.SIGKILL)
            said, complained = await asyncio.wait_for(asking.communicate(), 30)
        finally:
            if asking.returncode is None:
                asking.kill()
    message = complained.decode()
    assert asking.returncode == 1
    assert said.startswith(b"and")
    assert "Traceback" not in message and f"{place.url}/v1/runs/" in message
