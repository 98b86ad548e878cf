"""The tools on offer: built from the settings, handed to each run under its owner's allow-list."""

import shlex
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

import structlog

from orchestrator.mcp_readiness import mcp_problems, mcp_token
from orchestrator.settings import McpSettings, Settings
from tools.dates import Dates
from tools.documents.index import DocumentIndex
from tools.documents.search import SearchDocuments
from tools.mcp_server import McpAddress, McpServer
from tools.protocol import Tool
from tools.searxng import SearXNG
from tools.toolbox import Toolbox
from tools.units import ConvertUnits
from tools.web_search import SearchProvider, WebSearch

_log = structlog.get_logger(__name__)


class AllowLists(Protocol):
    """Knows which tools a key's holder may use."""

    async def allowed_tools(self, owner: str) -> tuple[str, ...] | None:
        """Names and patterns; None where the owner has no list of their own."""
        ...


class Equipment:
    """Opens its MCP servers as a context manager, but for those whose token is missing, which the log names. ``search``
    is a provider of web search in place of the settings'."""

    def __init__(self, settings: Settings, lists: AllowLists, search: SearchProvider | None = None) -> None:
        self._allow = settings.tools.allow
        self._lists = lists
        self._own = tuple(_own(settings, search or _searcher(settings)))
        self._problems = mcp_problems(settings.mcp)
        self.servers = tuple(
            McpServer(name, _address(server)) for name, server in settings.mcp.items() if name not in self._problems
        )

    async def __aenter__(self) -> Self:
        for name, problem in self._problems.items():
            _log.error("MCP server left out", server=name, problem=problem)
        for server in self.servers:
            server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self.servers:
            await server.aclose()

    async def toolbox(self, owner: str) -> Toolbox:
        """What ``owner`` may use: their own allow-list, else that of the settings."""
        allowed = await self._lists.allowed_tools(owner)
        listed = (tool for server in self.servers for tool in server.tools())
        return Toolbox((*self._own, *listed), self._allow if allowed is None else allowed)


def _own(settings: Settings, search: SearchProvider | None) -> Iterable[Tool]:
    yield ConvertUnits()
    yield Dates()
    if settings.documents.folder is not None:
        yield SearchDocuments(DocumentIndex(settings.documents.folder, settings.storage.directory / "documents.sqlite"))
    if search is not None:
        yield WebSearch(search)


def _searcher(settings: Settings) -> SearchProvider | None:
    chosen = settings.web_search
    return SearXNG(chosen.url, language=chosen.language, seconds=chosen.seconds) if chosen.url else None


def _address(server: McpSettings) -> McpAddress:
    words = shlex.split(server.command)
    return McpAddress(
        command=words[0] if words else "",
        arguments=tuple(words[1:]),
        environment=tuple(server.environment.items()),
        url=server.url,
        token=mcp_token(server),
    )
