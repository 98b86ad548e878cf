"""The tool ``search_documents``."""

import asyncio
import sqlite3
from collections.abc import Mapping
from typing import Any

from tools.documents.index import DocumentIndex
from tools.protocol import ToolResult

_RESULTS = 5


class SearchDocuments:
    name = "search_documents"
    description = "Search the user's documents for passages about something; gives the file and the passage."
    schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 400, "description": "a few words"}},
        "required": ["query"],
        "additionalProperties": False,
    }

    def __init__(self, index: DocumentIndex) -> None:
        self._index = index

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        try:
            found = await asyncio.to_thread(self._index.search, arguments["query"], _RESULTS)
        except (OSError, sqlite3.Error) as error:
            return ToolResult(f"the documents cannot be searched: {error}", ok=False)
        if not found:
            return ToolResult("no document holds any of these words")
        return ToolResult("\n\n".join(f"[{passage.name}]\n{passage.text}" for passage in found))
