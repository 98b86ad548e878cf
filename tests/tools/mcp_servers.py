"""A real MCP server, over stdio or HTTP: ``python mcp_servers.py [PORT]``."""

import os
import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("tests")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("it is broken")


@server.tool()
def variable(name: str) -> str:
    """The value of an environment variable."""
    return os.environ.get(name, "(unset)")


@server.tool(name="leave.now")
def leave_now() -> str:
    """End the server's process."""
    os._exit(3)


if len(sys.argv) > 1:
    server.run("streamable-http", port=int(sys.argv[1]))
else:
    server.run()
