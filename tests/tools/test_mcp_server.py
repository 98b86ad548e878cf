"""Tools of a real MCP server, over both transports."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests import processes
from tools.mcp_server import McpAddress, McpServer
from tools.toolbox import Toolbox

SERVER = str(Path(__file__).parent / "mcp_servers.py")
MISBEHAVING = str(Path(__file__).parent / "misbehaving_mcp_server.py")


@pytest.fixture(params=["stdio", "http"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[McpServer]:
    if request.param == "stdio":
        address = McpAddress(command=sys.executable, arguments=(SERVER,), environment=(("GIVEN", "yes"),))
        async with _running(address) as running:
            yield running
        return
    port = processes.free_port()
    with processes.running([sys.executable, SERVER, str(port)], lambda: processes.accepts(port), tmp_path / "log"):
        async with _running(McpAddress(url=f"http://127.0.0.1:{port}/mcp")) as running:
            yield running


class _running:
    def __init__(self, address: McpAddress) -> None:
        self._server = McpServer("tests", address)

    async def __aenter__(self) -> McpServer:
        self._server.start()
        assert await self._server.connected(30)
        return self._server

    async def __aexit__(self, *_: object) -> None:
        await self._server.aclose()


async def test_its_tools_are_described_called_and_fail_in_words(server: McpServer) -> None:
    toolbox = Toolbox(server.tools())
    assert toolbox.names == ("tests__add", "tests__fail", "tests__variable", "tests__leave_now")
    assert toolbox.openai()[0]["function"]["description"] == "Add two numbers."
    assert (await toolbox.call("tests__add", '{"a": 19, "b": 23}')).text == "42"
    assert not (await toolbox.call("tests__add", '{"a": "nineteen", "b": 23}')).ok
    failed = await toolbox.call("tests__fail", "{}")
    assert not failed.ok
    # Several calls at once share the connection.
    sums = await asyncio.gather(*(toolbox.call("tests__add", f'{{"a": {n}, "b": 1}}') for n in range(10)))
    assert [result.text for result in sums] == [str(n + 1) for n in range(10)]


async def test_a_started_server_gets_only_the_variables_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_SECRET", "no")
    address = McpAddress(command=sys.executable, arguments=(SERVER,), environment=(("GIVEN", "yes"),))
    async with _running(address) as server:
        toolbox = Toolbox(server.tools())
        assert (await toolbox.call("tests__variable", '{"name": "GIVEN"}')).text == "yes"
        assert (await toolbox.call("tests__variable", '{"name": "TANDEM_SECRET"}')).text == "(unset)"


async def test_a_server_that_asks_for_a_token_gets_it_and_refuses_who_lacks_it(tmp_path: Path) -> None:
    port, secret = processes.free_port(), "s3cret-token"
    url = f"http://127.0.0.1:{port}/mcp"
    command = [sys.executable, SERVER, str(port), secret]
    with processes.running(command, lambda: processes.accepts(port), tmp_path / "log"):
        address = McpAddress(url=url, token=secret)
        assert secret not in repr(address)
        async with _running(address) as server:
            assert (await Toolbox(server.tools()).call("tests__add", '{"a": 19, "b": 23}')).text == "42"
        for token, remedy in {"": "set `token_variable`", "another": "the variable that"}.items():
            refused = McpServer("tests", McpAddress(url=url, token=token))
            with capture_logs() as logs:
                refused.start()
                assert not await refused.connected(2)
                await refused.aclose()
            assert refused.tools() == ()
            said = next(line for line in logs if line["event"] == "MCP server wants another token")
            assert (said["status"], remedy in said["remedy"]) == (401, True)


async def test_a_server_that_dies_is_away_and_comes_back() -> None:
    async with _running(McpAddress(command=sys.executable, arguments=(SERVER,))) as server:
        toolbox = Toolbox(server.tools())
        assert not (await toolbox.call("tests__leave_now", "{}")).ok
        async with asyncio.timeout(30):
            while not (await toolbox.call("tests__add", '{"a": 1, "b": 1}')).ok:
                await asyncio.sleep(0.1)


async def test_a_server_that_is_not_there_offers_nothing() -> None:
    server = McpServer("gone", McpAddress(command="/nowhere/at/all"))
    server.start()
    assert not await server.connected(1)
    assert server.tools() == ()
    await server.aclose()


@contextmanager
def _web_server() -> Iterator[tuple[str, list[str]]]:
    """The address of a schema on a web server, and the paths that were asked of it."""
    asked: list[str] = []

    class Schema(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

    server = HTTPServer(("127.0.0.1", 0), Schema)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/schema.json", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_schema_that_cannot_be_used_is_a_result_that_says_so_and_fetches_nothing() -> None:
    with _web_server() as (address, asked):
        command = McpAddress(command=sys.executable, arguments=(MISBEHAVING, address))
        async with _running(command) as server:
            toolbox = Toolbox(server.tools())
            for tool, said in {
                "refers_nowhere": "refers to what is not in it",
                "refers_elsewhere": "refers to what is not in it",
                "refers_to_itself": "cannot be used",
                "of_no_type": "is not valid",
            }.items():
                result = await toolbox.call(f"tests__{tool}", '{"a": 1}')
                assert not result.ok
                assert said in result.text, tool
            assert (await toolbox.call("tests__slow", "[]")).text == "the arguments must be a JSON object"
        assert asked == []


@pytest.mark.parametrize("tool", ["wrong_structure", "no_structure", "output_refers_nowhere"])
async def test_an_answer_of_no_use_fails_its_own_call_and_no_other(tool: str) -> None:
    address = McpAddress(command=sys.executable, arguments=(MISBEHAVING, "http://127.0.0.1:1/"))
    async with _running(address) as server:
        toolbox = Toolbox(server.tools())
        other, bad = await asyncio.gather(toolbox.call("tests__slow", "{}"), toolbox.call(f"tests__{tool}", "{}"))
        assert not bad.ok
        assert f"'{tool}' an answer of no use" in bad.text
        assert (other.text, other.ok) == ("done", True)
