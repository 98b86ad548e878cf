"""A real MCP server, over stdio or HTTP: ``python mcp_servers.py [PORT [TOKEN]]``. It refuses who lacks the token."""

import os
import sys

from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer


class OneToken:
    def __init__(self, token: str) -> None:
        self._token = token

    async def verify_token(self, token: str) -> AccessToken | None:
        return AccessToken(token=token, client_id="tandem", scopes=[]) if token == self._token else None


def _opened() -> MCPServer:
    if len(sys.argv) < 3:
        return MCPServer("tests")
    here = f"http://127.0.0.1:{sys.argv[1]}"
    auth = AuthSettings.model_validate(
        {"issuer_url": here, "resource_server_url": f"{here}/mcp", "validate_token_resource": False}
    )
    return MCPServer("tests", token_verifier=OneToken(sys.argv[2]), auth=auth)


server = _opened()


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
