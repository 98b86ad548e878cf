"""An MCP server whose tools become tools here: one connection, kept open, opened again when it breaks."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx2
import structlog
from mcp import Client, MCPError, StdioServerParameters
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CONNECTION_CLOSED, CallToolResult, TextContent
from mcp_types import Tool as Described

from tools.protocol import Tool, ToolResult

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_CALL_SECONDS = 100.0
# As in the client that MCP's library makes where it is given none: a server may hold an answer open.
_HTTP_TIMEOUT = httpx2.Timeout(30.0, read=300.0)
_REFUSED = (401, 403)
_MOST_PAGES = 20
_LONGEST_REASON = 300
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class McpAddress:
    """Where a server is: ``command`` with ``arguments`` and ``environment`` is started and spoken to over its standard
    input and output, ``url`` is reached over streamable HTTP, with ``token`` as bearer token where there is one.
    Exactly one of the two is set."""

    command: str = ""
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    url: str = ""
    token: str = field(default="", repr=False)


class McpServer:
    """Use ``start`` before and ``aclose`` after. ``tools`` is empty while the server is away."""

    def __init__(self, name: str, address: McpAddress) -> None:
        self.name = name
        self._address = address
        self._client: Client | None = None
        self._tools: tuple[Tool, ...] = ()
        self._connected = asyncio.Event()
        self._broken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect in the background, for a server that is slow or away must not keep the others waiting."""
        self._task = asyncio.create_task(self._keep_open(), name=f"mcp-{self.name}")

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def connected(self, seconds: float) -> bool:
        """Wait for the connection; False if it is not there in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._connected.wait()
        except TimeoutError:
            return False
        return True

    def tools(self) -> tuple[Tool, ...]:
        return self._tools

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        client = self._client
        if client is None:
            return ToolResult(f"the MCP server {self.name!r} is away; try again later", ok=False)
        try:
            result = await client.call_tool(tool, dict(arguments), read_timeout_seconds=_CALL_SECONDS)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                self._broken.set()
            return ToolResult(f"the MCP server {self.name!r} refused the call: {error}", ok=False)
        # So the client says that an answer is not what the protocol or the tool's own description promises: this call
        # has no result, and the connection, which others use at the same time, is sound.
        except (RuntimeError, ValueError, ArithmeticError) as error:
            reason = str(error).partition("\n")[0][:_LONGEST_REASON]
            return ToolResult(f"the MCP server {self.name!r} gave {tool!r} an answer of no use: {reason}", ok=False)
        # The transports raise what their libraries raise; whatever it is, this call has no result and the
        # connection is suspect.
        except Exception as error:  # noqa: BLE001
            self._broken.set()
            return ToolResult(f"the connection to the MCP server {self.name!r} broke: {error!r}", ok=False)
        return _result(result)

    async def _keep_open(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._session()
                pause = _FIRST_PAUSE
            # Anything may go wrong in a program of somebody else's: it is logged, and tried again.
            except Exception as error:  # noqa: BLE001
                _log.warning("MCP server away", server=self.name, error=repr(error)[:300], again_in_seconds=pause)
            finally:
                self._client, self._tools = None, ()
                self._connected.clear()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _session(self) -> None:
        self._broken.clear()
        # Opened and closed in this one task, as the client's task groups demand.
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(Client(await self._target(stack)))
            self._tools = tuple(_McpTool(self, described) for described in await _listed(client))
            self._client = client
            self._connected.set()
            _log.info("MCP server connected", server=self.name, tools=[tool.name for tool in self._tools])
            await self._broken.wait()

    async def _target(self, stack: AsyncExitStack) -> StdioServerParameters | Transport:
        """What a client connects to; ``stack`` closes what it needs for that."""
        address = self._address
        if not address.url:
            # Only a few harmless variables of this process are passed on, and those that the settings name.
            environment = dict(address.environment) or None
            return StdioServerParameters(command=address.command, args=list(address.arguments), env=environment)
        headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
        hooks = {"response": [self._say_if_refused]}
        http = httpx2.AsyncClient(headers=headers, timeout=_HTTP_TIMEOUT, event_hooks=hooks)
        return streamable_http_client(address.url, http_client=await stack.enter_async_context(http))

    async def _say_if_refused(self, response: httpx2.Response) -> None:
        """What the client raises afterwards does not tell this from any other fault."""
        if response.status_code in _REFUSED:
            remedy = (
                "look at the variable that `token_variable` names" if self._address.token else "set `token_variable`"
            )
            _log.warning("MCP server wants another token", server=self.name, status=response.status_code, remedy=remedy)


class _McpTool:
    def __init__(self, server: McpServer, described: Described) -> None:
        self._server = server
        self._own_name = described.name
        self.name = _NOT_IN_NAMES.sub("_", f"{server.name}__{described.name}")[:64]
        self.description = (described.description or described.title or described.name)[:1000]
        self.schema: Mapping[str, Any] = described.input_schema

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        return await self._server.call(self._own_name, arguments)


async def _listed(client: Client) -> list[Described]:
    found: list[Described] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found.extend(page.tools)
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _result(result: CallToolResult) -> ToolResult:
    parts = [
        block.text if isinstance(block, TextContent) else f"({block.type} content left out)" for block in result.content
    ]
    return ToolResult("\n".join(parts) or "(nothing)", ok=not result.is_error)
