"""The tool ``web_search``, over whatever provider is plugged in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tools.protocol import ToolResult

_RESULTS = 5


@dataclass(frozen=True, slots=True)
class Found:
    """One page that a search found. ``excerpt`` is plain text."""

    title: str
    url: str
    excerpt: str


class SearchUnavailable(Exception):
    """The provider did not answer; the message says why."""


class SearchProvider(Protocol):
    """Searches the web."""

    async def search(self, query: str, results: int) -> Sequence[Found]:
        """Up to ``results`` pages, best first. Raises ``SearchUnavailable``."""
        ...


class WebSearch:
    name = "web_search"
    description = "Search the web; gives titles, addresses and excerpts of pages."
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 400}},
        "required": ["query"],
        "additionalProperties": False,
    }

    def __init__(self, provider: SearchProvider) -> None:
        self._provider = provider

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        try:
            found = await self._provider.search(arguments["query"], _RESULTS)
        except SearchUnavailable as error:
            return ToolResult(f"the web search did not answer: {error}", ok=False)
        if not found:
            return ToolResult("nothing was found")
        return ToolResult("\n\n".join(f"{page.title}\n{page.url}\n{page.excerpt}" for page in found))
