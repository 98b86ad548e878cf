"""A real MCP server over stdio whose tools break their own promises: ``python misbehaving_mcp_server.py ADDRESS``."""

import asyncio
import sys
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent, Tool

ANYTHING: dict[str, Any] = {"type": "object"}
NUMBER: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

TOOLS = [
    Tool(name="refers_nowhere", input_schema={"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}}),
    Tool(name="refers_elsewhere", input_schema={"type": "object", "properties": {"a": {"$ref": sys.argv[1]}}}),
    Tool(name="refers_to_itself", input_schema={"type": "object", "$ref": "#"}),
    Tool(name="of_no_type", input_schema={"type": "object", "properties": {"a": {"type": "nonsense"}}}),
    Tool(name="wrong_structure", input_schema=ANYTHING, output_schema=NUMBER),
    Tool(name="no_structure", input_schema=ANYTHING, output_schema=NUMBER),
    Tool(name="output_refers_nowhere", input_schema=ANYTHING, output_schema={"type": "object", "$ref": "#/$defs/none"}),
    Tool(name="slow", input_schema=ANYTHING),
]

ANSWERED = asyncio.Event()


async def listed(*_: object) -> ListToolsResult:
    return ListToolsResult(tools=TOOLS)


async def called(_: object, params: CallToolRequestParams) -> CallToolResult:
    """The slow tool answers a moment after another one has."""
    said = TextContent(type="text", text="done")
    if params.name == "slow":
        await ANSWERED.wait()
        await asyncio.sleep(0.5)
        return CallToolResult(content=[said])
    ANSWERED.set()
    if params.name == "no_structure":
        return CallToolResult(content=[said])
    return CallToolResult(content=[said], structured_content={"n": "three"})


async def main() -> None:
    server = Server("misbehaving", on_list_tools=listed, on_call_tool=called)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


asyncio.run(main())
